// The models that the tests of src/validation share.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include <boost/describe.hpp>

#include <quarq/model.hpp>

namespace quarq::validation_tests {

/// Each error as "path: kind".
inline std::vector<std::string> kinds_of(const std::vector<model_error>& errors) {
  std::vector<std::string> result;
  for (const model_error& e : errors) result.push_back(to_string(e.path) + ": " + e.kind);
  return result;
}

template <class T>
std::vector<model_error> errors_in(std::string_view json, parse_options options = {}) {
  T value;
  return try_parse_json(value, json, options);
}

template <class T>
std::vector<std::string> kinds_in(std::string_view json, parse_options options = {}) {
  return kinds_of(errors_in<T>(json, options));
}

struct new_user {
  std::string name;
  int age = 0;
  std::optional<std::string> email;
  secret<std::string> password;
};
BOOST_DESCRIBE_STRUCT(new_user, (), (name, age, email, password))
QUARQ_MODEL(new_user, field(&new_user::name).length(1, 80), field(&new_user::age).range(0, 150).defaulted(),
            field(&new_user::email).format(format::email), field(&new_user::password).length(8))

enum class size { small, large };
BOOST_DESCRIBE_ENUM(size, small, large)

struct voucher {
  std::string number;
};
BOOST_DESCRIBE_STRUCT(voucher, (), (number))
QUARQ_MODEL(voucher, field(&voucher::number).pattern("^[0-9]{4}$"))

struct transfer {
  std::string iban;
  std::int64_t cents = 0;
};
BOOST_DESCRIBE_STRUCT(transfer, (), (iban, cents))
QUARQ_MODEL(transfer, field(&transfer::cents).more_than(0))

using payment = std::variant<voucher, transfer>;
QUARQ_TAGGED(payment, "method", "voucher", "transfer")

struct item {
  std::string sku;
  int quantity = 0;
  double price = 0;
};
BOOST_DESCRIBE_STRUCT(item, (), (sku, quantity, price))
QUARQ_MODEL(item, extra::forbid, field(&item::sku).pattern("^[A-Z]+-[0-9]+$"),
            field(&item::quantity).range(1, 100), field(&item::price).more_than(0).at_most(1e6))

std::string total_is_small(const struct order& of);

struct order {
  std::int64_t id = 0;
  std::vector<item> items;
  payment paid_by;
  std::set<std::string> labels;
  std::vector<std::string> notes;
  std::map<std::string, int> counts;
  std::optional<size> box;
};
BOOST_DESCRIBE_STRUCT(order, (), (id, items, paid_by, labels, notes, counts, box))
QUARQ_MODEL(order, field(&order::id).alias("orderId").at_least(1), field(&order::items).length(1, 10),
            field(&order::labels).defaulted(), field(&order::notes).defaulted().unique().length(0, 3),
            each(&order::notes).length(1, 5), field(&order::counts).defaulted(),
            each(&order::counts).range(0, 9), check<total_is_small>())

inline std::string total_is_small(const order& of) {
  int total = 0;
  for (const item& one : of.items) total += one.quantity;
  return total > 100 ? "At most 100 items in all" : "";
}

}  // namespace quarq::validation_tests
