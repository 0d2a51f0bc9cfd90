// JSON Schema of the arguments and results of tasks, as their codecs write them. For descriptions, not for checks.
#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <boost/describe/enumerators.hpp>
#include <boost/mp11/algorithm.hpp>

#include <quarq/bytes.hpp>
#include <quarq/detail/described.hpp>

namespace quarq::detail {

/// Types that contain themselves are written out so often.
inline constexpr int max_schema_depth = 4;

template <class T>
std::string schema_of(int depth = 0);

/// Of types that nothing is known of: "{}", which is anything.
template <class T>
struct container_schema {
  static std::string of(int) { return "{}"; }
};

inline std::string array_schema(const std::string& items) {
  return "{\"type\": \"array\", \"items\": " + items + "}";
}
inline std::string joined_schemas(std::initializer_list<std::string> all) {
  std::string text;
  for (const auto& one : all) text += (text.empty() ? "" : ", ") + one;
  return "[" + text + "]";
}

template <class T>
struct container_schema<std::optional<T>> {
  static std::string of(int depth) {
    return "{\"anyOf\": " + joined_schemas({schema_of<T>(depth), "{\"type\": \"null\"}"}) + "}";
  }
};
template <class T>
struct container_schema<std::vector<T>> {
  static std::string of(int depth) { return array_schema(schema_of<T>(depth)); }
};
template <>
struct container_schema<bytes> {
  static std::string of(int) {
    return R"({"type": "object", "properties": {"$bytes": {"type": "string"}}, "required": ["$bytes"]})";
  }
};
template <class T, class... Rest>
struct container_schema<std::set<T, Rest...>> {
  static std::string of(int depth) { return array_schema(schema_of<T>(depth)); }
};
template <class T, class... Rest>
struct container_schema<std::unordered_set<T, Rest...>> {
  static std::string of(int depth) { return array_schema(schema_of<T>(depth)); }
};
template <class V, class... Rest>
struct container_schema<std::map<std::string, V, Rest...>> {
  static std::string of(int depth) {
    return "{\"type\": \"object\", \"additionalProperties\": " + schema_of<V>(depth) + "}";
  }
};
template <class V, class... Rest>
struct container_schema<std::unordered_map<std::string, V, Rest...>> {
  static std::string of(int depth) { return container_schema<std::map<std::string, V>>::of(depth); }
};
template <class... T>
struct container_schema<std::tuple<T...>> {
  static std::string of(int depth) {
    return "{\"type\": \"array\", \"prefixItems\": " + joined_schemas({schema_of<T>(depth)...}) + "}";
  }
};
template <class A, class B>
struct container_schema<std::pair<A, B>> {
  static std::string of(int depth) { return container_schema<std::tuple<A, B>>::of(depth); }
};

/// Absent members keep their defaults, so none is required.
template <described_struct T>
std::string struct_schema(int depth) {
  std::string members;
  boost::mp11::mp_for_each<members_of<T>>([&](auto member) {
    using type = std::remove_cvref_t<decltype(std::declval<T&>().*member.pointer)>;
    members +=
        (members.empty() ? "\"" : ", \"") + std::string(member.name) + "\": " + schema_of<type>(depth + 1);
  });
  return "{\"type\": \"object\", \"properties\": {" + members + "}}";
}

template <described_enum T>
std::string enum_schema() {
  std::string names;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto enumerator) {
    names += (names.empty() ? "\"" : ", \"") + std::string(enumerator.name) + "\"";
  });
  return "{\"enum\": [" + names + "]}";
}

template <class T>
std::string schema_of(int depth) {
  if (depth > max_schema_depth) return "{}";
  if constexpr (std::is_void_v<T>) {
    return "{\"type\": \"null\"}";
  } else if constexpr (std::is_same_v<T, bool>) {
    return "{\"type\": \"boolean\"}";
  } else if constexpr (std::is_integral_v<T>) {
    return "{\"type\": \"integer\"}";
  } else if constexpr (std::is_floating_point_v<T>) {
    return "{\"type\": \"number\"}";
  } else if constexpr (std::is_same_v<T, std::string>) {
    return "{\"type\": \"string\"}";
  } else if constexpr (described_enum<T>) {
    return enum_schema<T>();
  } else if constexpr (described_struct<T>) {
    return struct_schema<T>(depth);
  } else {
    return container_schema<T>::of(depth);
  }
}

}  // namespace quarq::detail
