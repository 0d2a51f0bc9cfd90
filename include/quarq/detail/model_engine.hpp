// The way from the templates of <quarq/model.hpp> into src/validation.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <quarq/detail/model_type.hpp>
#include <quarq/msgpack.hpp>
#include <quarq/validation_error.hpp>

namespace quarq::validation {

/// Reads the value into `target`, which is of that type and as its constructor left it. What is wrong with it, or
/// nothing; `target` then holds an unspecified part of it. `lax`: text is converted to what the type asks for.
std::vector<model_error> read_json(const type& what, void* target, std::string_view json, bool lax);
std::vector<model_error> read_msgpack(const type& what, void* target, std::string_view msgpack, bool lax);

/// One name with its text, as queries, forms and environments have them; names may come again, for lists.
struct named_text {
  std::string name;
  std::string text;
};
std::vector<model_error> read_texts(const object_type& what, void* target,
                                    const std::vector<named_text>& values);

/// What is wrong with a value that exists.
std::vector<model_error> check(const type& what, const void* value);

/// REQUIRES: check() found nothing. Throws usage_error for what can't be written.
void write_json(const type& what, const void* value, std::string& out);
void write_msgpack(const type& what, const void* value, encoder& out);

std::string write_schema(const type& what);

/// The name of the type for what() of errors, if it has one.
std::string name_of(const type& what);

/// Throws validation_error if there is any error.
void throw_if_any(const type& what, std::vector<model_error> errors);

/// For codec<T> of a type with a model. Throws invalid_value if check() finds anything.
void encode_checked(const type& what, const void* value, encoder& out);
/// Throws decode_error, which names the place and has all errors.
void decode_checked(const type& what, void* target, decoder& in);

}  // namespace quarq::validation
