// Models: described structs that say what their members must be. Input is parsed and checked in one pass, and all
// that is wrong with it is reported at once. docs/models.md has the rules, the conversions and the kinds of errors.
//
//     struct new_user {
//       std::string name;
//       int age = 0;
//       std::optional<std::string> email;
//       quarq::secret<std::string> password;
//     };
//     BOOST_DESCRIBE_STRUCT(new_user, (), (name, age, email, password))
//     QUARQ_MODEL(new_user,
//                 field(&new_user::name).length(1, 80),
//                 field(&new_user::age).range(0, 150).defaulted(),
//                 field(&new_user::email).format(format::email))
//
//     const auto user = quarq::parse_json<new_user>(text);
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <quarq/codec.hpp>
#include <quarq/detail/model_codec.hpp>
#include <quarq/detail/model_describe.hpp>
#include <quarq/detail/model_engine.hpp>
#include <quarq/model_fields.hpp>
#include <quarq/secret.hpp>
#include <quarq/validation_error.hpp>

/// QUARQ_MODEL(type, field(...)..., each(...)..., check<f>(), extra::forbid, all_defaulted): what is asked of the type's
/// members, in its own namespace, after BOOST_DESCRIBE_STRUCT and before the first use. The rules are functions of
/// field() and each(), quarq::models::field_builder.
///
/// A type with a model must have all its members in the input, but for std::optional ones and those that are
/// defaulted(). Members that are not mentioned are asked for their type only. Where codecs write such a type (arguments
/// and results of tasks), it is checked on both ways: a bad one is refused with quarq::invalid_value.
#define QUARQ_MODEL(type, ...)                                                  \
  [[maybe_unused]] constexpr auto quarq_model(::quarq::validation::tag<type>) { \
    using namespace ::quarq::models;                                            \
    return ::quarq::validation::define<type>(__VA_ARGS__);                      \
  }                                                                             \
  static_assert(::quarq::validation::check_model<type>());

/// QUARQ_TAGGED(variant, "member", "value"...): the alternatives are objects, and their member of that name says which it
/// is: one value for each alternative, in their order. In the namespace of one of the alternatives.
///     using payment = std::variant<voucher, transfer>;
///     QUARQ_TAGGED(payment, "method", "voucher", "transfer");          // {"method": "voucher", "number": "…"}
#define QUARQ_TAGGED(variant, ...)                                                \
  [[maybe_unused]] constexpr auto quarq_tags(::quarq::validation::tag<variant>) { \
    return ::quarq::validation::define_tags<variant>(__VA_ARGS__);                \
  }                                                                               \
  static_assert(::quarq::validation::check_tags<variant>(), "quarq: two alternatives have the same tag");

namespace quarq {

struct parse_options {
  /// Text is converted to what a member asks for, as in queries: "12" is an int.
  bool lax = false;
};

/// Parses JSON (RFC 8259) into a T, checking it on the way. T is a described struct, or whatever a member may be. Throws
/// validation_error with all errors, at most 100, in the order of the document; of bad JSON, the errors up to there and
/// then json_invalid. Values may be nested 64 levels deep. Thread safety: may be called from any thread.
template <class T>
T parse_json(std::string_view json, parse_options options = {}) {
  T value{};
  validation::throw_if_any(validation::type_of<T>::value,
                           validation::read_json(validation::type_of<T>::value, &value, json, options.lax));
  return value;
}

/// The same, returning the errors; empty: `value` has been read. Else it holds an unspecified part.
template <class T>
std::vector<model_error> try_parse_json(T& value, std::string_view json, parse_options options = {}) {
  value = T{};
  return validation::read_json(validation::type_of<T>::value, &value, json, options.lax);
}

/// As parse_json, from one msgpack value.
template <class T>
T parse_msgpack(std::string_view msgpack, parse_options options = {}) {
  T value{};
  validation::throw_if_any(
      validation::type_of<T>::value,
      validation::read_msgpack(validation::type_of<T>::value, &value, msgpack, options.lax));
  return value;
}

/// From names with texts, such as a query's, a form's or an environment's: always lax. A list is made of all texts of
/// its name; a struct, a map or a list of those is JSON. Throws validation_error.
template <quarq::detail::described_struct T>
T parse_texts(const std::vector<validation::named_text>& values) {
  T value{};
  validation::throw_if_any(validation::type_of<T>::value,
                           validation::read_texts(validation::type_of<T>::value, &value, values));
  return value;
}

/// What is wrong with a value that exists; nothing: it is as its model asks.
template <class T>
std::vector<model_error> validate(const T& value) {
  return validation::check(validation::type_of<T>::value, &value);
}

/// `value` as JSON that parse_json reads back as an equal value, secrets included. Throws invalid_value.
template <class T>
std::string write_json(const T& value) {
  auto errors = validate(value);
  if (!errors.empty())
    throw invalid_value(std::move(errors), validation::name_of(validation::type_of<T>::value));
  std::string out;
  validation::write_json(validation::type_of<T>::value, &value, out);
  return out;
}

/// The JSON Schema (2020-12) of what parse_json takes.
template <class T>
std::string json_schema() {
  return validation::write_schema(validation::type_of<T>::value);
}

}  // namespace quarq
