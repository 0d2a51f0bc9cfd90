// A model with a bit of everything, and what must hold of any input.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <boost/describe.hpp>

#include <quarq/model.hpp>

namespace quarq::fuzz {

enum class model_colour { red, green };
BOOST_DESCRIBE_ENUM(model_colour, red, green)

struct model_leaf {
  double weight = 0;
  std::optional<bytes> data;
};
BOOST_DESCRIBE_STRUCT(model_leaf, (), (weight, data))

struct model_branch;
using model_part = std::variant<model_leaf, model_branch>;
struct model_branch {
  std::vector<model_part> parts;
  std::map<std::string, int> counts;
};
BOOST_DESCRIBE_STRUCT(model_branch, (), (parts, counts))
QUARQ_TAGGED(model_part, "t", "leaf", "branch")

struct model_root {
  std::string name;
  std::int8_t small = 0;
  std::uint64_t large = 0;
  float real = 0;
  model_colour colour = model_colour::red;
  std::set<std::string> labels;
  std::vector<std::pair<int, bool>> pairs;
  std::map<int, std::variant<bool, std::string, double>> any;
  std::optional<model_part> part;
  std::chrono::milliseconds wait{};
  secret<std::string> key{std::string("a@b.cd")};
};
BOOST_DESCRIBE_STRUCT(model_root, (), (name, small, large, real, colour, labels, pairs, any, part, wait, key))
QUARQ_MODEL(model_root, all_defaulted, field(&model_root::name).length(0, 8).pattern("^[a-z]*$"),
            field(&model_root::small).range(-5, 100).multiple_of(5), field(&model_root::labels).length(0, 4),
            field(&model_root::pairs).unique(), field(&model_root::key).format(format::email).length(0, 20))

/// What was read is what its model asks for, and is the same when it is written and read again.
inline void expect_round_trip(const model_root& made) {
  if (!validate(made).empty()) std::abort();
  const std::string text = write_json(made);
  model_root again;
  if (!try_parse_json(again, text).empty()) std::abort();
  if (write_json(again) != text) std::abort();
  if (to_msgpack(parse_msgpack<model_root>(to_msgpack(made))) != to_msgpack(made)) std::abort();
}

inline void try_model_json(std::string_view input) {
  for (const bool lax : {false, true}) {
    model_root made;
    const auto errors = try_parse_json(made, input, {.lax = lax});
    if (errors.size() > validation_error::max_errors) std::abort();
    if (errors.empty()) expect_round_trip(made);
  }
}

inline void try_model_msgpack(std::string_view input) {
  try {
    expect_round_trip(parse_msgpack<model_root>(input));
  } catch (const validation_error&) {
    // Most inputs are nothing.
  }
}

}  // namespace quarq::fuzz
