// What must hold for every input to the codec: the fuzzer and the unit tests both call this.
#pragma once

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include <boost/describe.hpp>

#include <quarq/codec.hpp>
#include <quarq/errors.hpp>

#include "codecs/json.hpp"

namespace quarq::fuzz {

enum class colour { red, green };
BOOST_DESCRIBE_ENUM(colour, red, green)

/// A member of every kind. Containers are ordered ones, so that equal values have equal bytes.
struct everything {
  bool flag = false;
  std::int8_t small = 0;
  std::uint64_t big = 0;
  float single = 0;
  double real = 0;
  std::string text;
  bytes raw;
  colour paint = colour::red;
  std::optional<int> maybe;
  std::array<std::int16_t, 3> three{};
  std::map<std::string, std::vector<bool>> named;
  std::map<int, std::pair<int, std::string>> numbered;
  std::set<std::string> words;
  std::tuple<std::monostate, std::byte> two;
  std::variant<int, std::string, bytes> one_of;
  std::chrono::nanoseconds fine{};
  std::chrono::duration<int> coarse{};
  std::chrono::sys_time<std::chrono::nanoseconds> when;
  std::chrono::sys_days day;
  std::vector<everything> children;
};
BOOST_DESCRIBE_STRUCT(everything, (),
                      (flag, small, big, single, real, text, raw, paint, maybe, three, named, numbered, words,
                       two, one_of, fine, coarse, when, day, children))

inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

/// The result of `work`, or nothing if it throws the one exception that bad input may cause.
template <class Work>
auto unless_refused(Work work) -> std::optional<decltype(work())> {
  try {
    return work();
  } catch (const decode_error&) {
    return std::nullopt;
  }
}

inline void try_typed(std::string_view data) {
  const auto value = unless_refused([&] { return from_msgpack<everything>(data, "fuzz"); });
  if (!value) return;
  const std::string written = to_msgpack(*value);
  require(to_msgpack(from_msgpack<everything>(written, "fuzz")) == written,
          "what was read is written and read again");
}

inline void try_pulled(std::string_view data) {
  const bool whole = unless_refused([&] {
                       decoder in(data);
                       in.skip();
                       in.finish();
                       return true;
                     }).has_value();
  const auto json = unless_refused([&] { return codecs::to_json(data); });
  require(whole || !json, "what can be shown can be skipped");
  for (const std::size_t limit : {0, 5, 50}) {
    const auto cut = unless_refused([&] { return codecs::to_json(data, limit); });
    require(!cut || cut->size() <= limit, "a cut is as short as was asked for");
    std::string text;
    if (cut) encoder(text).text(*cut);  // throws what nobody catches if it is not UTF-8
  }
}

inline void try_json(std::string_view text) {
  const auto data = unless_refused([&] { return codecs::json_to_msgpack(text); });
  if (data) require(codecs::json_to_msgpack(codecs::to_json(*data)) == *data, "JSON survives msgpack");
}

/// Aborts, or lets an exception out, if something does not hold for `data`.
inline void try_codec_input(std::string_view data) {
  try_typed(data);
  try_pulled(data);
  try_json(data);
  unless_refused(
      [&] { return decode_arguments<std::tuple<std::string, std::optional<everything>>>(data, "fuzz"); });
}

}  // namespace quarq::fuzz
