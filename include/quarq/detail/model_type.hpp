// C++ types as the engine of src/validation sees them: tables of constants, so that the engine is compiled once and a
// program that has models compiles little more than these tables.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <quarq/detail/model_rules.hpp>
#include <quarq/msgpack.hpp>

namespace quarq::validation {

enum class kind : unsigned char {
  boolean,
  integer,
  real,
  text,
  binary,
  nil,
  enumeration,
  optional,
  list,   ///< std::vector
  set,    ///< elements are made first and then inserted: sets, std::vector<bool>
  tuple,  ///< a fixed number of elements: std::array, pair, tuple
  map,
  object,
  variant,
  secret,
  coded,  ///< by its quarq::codec: durations, time points, a program's own
};

/// What JSON has for a value; it tells variants without a tag apart.
enum json_kinds : unsigned {
  json_null = 1,
  json_boolean = 2,
  json_number = 4,
  json_text = 8,
  json_array = 16,
  json_object = 32,
  json_any = 63,
};

struct type {
  kind what;
  unsigned json = json_any;
};

struct integer_type : type {
  std::size_t size = 0;
  bool is_signed = false;
};

struct real_type : type {
  std::size_t size = 0;
};

struct enumerator {
  std::string_view name;
  std::int64_t value = 0;
};
struct enum_type : type {
  std::string_view name;
  const enumerator* values = nullptr;
  std::size_t count = 0;
  void (*set)(void* target, std::int64_t value) = nullptr;
  std::int64_t (*get)(const void* value) = nullptr;
};

struct optional_type : type {
  const type* held = nullptr;
  void* (*emplace)(void* target) = nullptr;
  void (*reset)(void* target) = nullptr;
  const void* (*get)(const void* value) = nullptr;  ///< null: there is none
};

struct secret_type : type {
  const type* held = nullptr;
  void* (*at)(void* target) = nullptr;
};

/// Called for each element, or for each key and value.
using visit_element = void (*)(void* context, const void* element);
using visit_entry = void (*)(void* context, const void* key, const void* value);

struct list_type : type {
  const type* element = nullptr;
  void (*clear)(void* target) = nullptr;
  std::size_t (*size)(const void* value) = nullptr;
  void* (*append)(void* target) = nullptr;
  void (*each)(const void* value, void* context, visit_element visit) = nullptr;
  /// Of a set: an element by itself, and its way in, which ends it; false: the set has its equal already.
  void* (*make)() = nullptr;
  bool (*insert)(void* target, void* made) = nullptr;
  void (*discard)(void* made) = nullptr;
  bool keeps_equals_once = false;
};

struct tuple_type : type {
  std::size_t count = 0;
  const type* (*element)(std::size_t index) = nullptr;
  void* (*at)(void* target, std::size_t index) = nullptr;
};

struct map_type : type {
  const type* key = nullptr;
  const type* mapped = nullptr;
  std::size_t key_size = 0;
  void (*clear)(void* target) = nullptr;
  std::size_t (*size)(const void* value) = nullptr;
  /// The place of the value for this key; `existed`: it has one already. `key` points to a K.
  void* (*emplace)(void* target, const void* key, bool& existed) = nullptr;
  void (*each)(const void* value, void* context, visit_entry visit) = nullptr;
};

/// A pattern, compiled when it is first needed.
using compiled_pattern = std::atomic<const void*>;

struct member {
  std::string_view name;
  const type* what = nullptr;
  void* (*at)(void* object) = nullptr;
  rules asked;
  compiled_pattern* pattern = nullptr;
  compiled_pattern* element_pattern = nullptr;
};

struct object_type : type {
  std::string_view name;
  const member* members = nullptr;
  std::size_t count = 0;
  bool has_model = false;
  bool all_defaulted = false;
  extra_fields extra = extra_fields::ignore;
  std::size_t check_count = 0;
  const check_function* checks = nullptr;
};

struct alternative {
  std::string_view tag;
  const type* what = nullptr;
  void* (*emplace)(void* target) = nullptr;
};
struct variant_type : type {
  std::string_view tag;  ///< the name of the member that tells; empty: the kind of JSON does
  const alternative* alternatives = nullptr;
  std::size_t count = 0;
  std::size_t (*index)(const void* value) = nullptr;
  const void* (*get)(const void* value) = nullptr;
};

struct coded_type : type {
  enum class meaning : unsigned char { anything, duration, moment };
  meaning means = meaning::anything;
  void (*decode)(void* target, decoder& in) = nullptr;
  void (*encode)(const void* value, encoder& out) = nullptr;
};

}  // namespace quarq::validation
