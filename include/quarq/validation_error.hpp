// What is wrong with a value that came from outside: all of it at once.
#pragma once

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include <quarq/errors.hpp>

namespace quarq {

/// A step on the way to a value: a name of the input, or an index from 0.
using path_step = std::variant<std::string, std::size_t>;

/// `to[2].name`; a name that is not made of letters, digits and _ as `["a b"]`; "" for the whole value.
std::string to_string(const std::vector<path_step>& path);

/// One thing that is wrong. It never holds the value itself, which may be a secret.
struct model_error {
  std::string kind;             ///< "string_too_short": for programs; docs/models.md has them all
  std::vector<path_step> path;  ///< only what the input has: its names as it spells them, and indices
  std::string message;          ///< for people
  std::string source;           ///< of settings: where the value came from; else empty
  friend bool operator==(const model_error&, const model_error&) = default;
};

/// "age: Input should be less than or equal to 150".
std::string to_string(const model_error& error);

/// `errors` as JSON: [{"kind": "missing", "path": ["to", 2, "name"], "message": "Field required"}].
std::string to_json(const std::vector<model_error>& errors);

/// A value is not what its model asks for. what() has every error in one line.
class validation_error : public decode_error {
 public:
  /// Errors are counted up to here; the rest of the value is then not looked at.
  static constexpr std::size_t max_errors = 100;

  /// `what`: whose value it is; empty: nothing is said of that.
  explicit validation_error(std::vector<model_error> errors, const std::string& what = {});
  /// `text` is what what() is to say.
  validation_error(const std::string& text, std::vector<model_error> errors);
  /// In the order of the document; what is missing stands at its struct's end.
  const std::vector<model_error>& errors() const noexcept { return errors_; }

 private:
  std::vector<model_error> errors_;
};

/// A program is about to write a value that breaks its own model: the argument of a task, say.
class invalid_value : public usage_error {
 public:
  explicit invalid_value(std::vector<model_error> errors, const std::string& what = {});
  const std::vector<model_error>& errors() const noexcept { return errors_; }

 private:
  std::vector<model_error> errors_;
};

}  // namespace quarq
