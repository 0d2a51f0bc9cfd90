// JSON Schema of the arguments and results of tasks, as their codecs write them: what is composed by a codec is
// described here, and everything else by the tables of <quarq/model.hpp>.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include <boost/mp11/algorithm.hpp>

#include <quarq/bytes.hpp>
#include <quarq/detail/described.hpp>
#include <quarq/detail/model_describe.hpp>
#include <quarq/detail/model_tag.hpp>

namespace quarq::detail {

/// The document that schemas are written for. It has the structs, each once and by a name, so that types may contain
/// themselves.
class schema_document {
 public:
  using make_schema = std::string (*)(schema_document&);

  /// What the value of this table looks like, with its model's rules.
  virtual std::string of(const validation::type& what) = 0;
  /// A reference to a struct; `make` tells it from others, and writes it.
  virtual std::string of_struct(std::string_view name, make_schema make) = 0;

 protected:
  ~schema_document() = default;
};

template <class T>
std::string schema_of(schema_document& in);

inline std::string joined_schemas(std::initializer_list<std::string> all) {
  std::string text;
  for (const auto& one : all) text += (text.empty() ? "" : ", ") + one;
  return "[" + text + "]";
}
inline std::string list_schema(const std::string& items) {
  return R"({"type": "array", "items": )" + items + "}";
}
inline std::string map_schema(const std::string& values) {
  return R"({"type": "object", "additionalProperties": )" + values + "}";
}
inline std::string tuple_schema(std::initializer_list<std::string> elements) {
  const auto count = std::to_string(elements.size());
  const auto prefix = elements.size() == 0 ? "" : R"("prefixItems": )" + joined_schemas(elements) + ", ";
  return R"({"type": "array", )" + prefix + R"("minItems": )" + count + R"(, "maxItems": )" + count + "}";
}

template <class T>
struct composed_schema {
  static std::string of(schema_document& in) { return in.of(validation::type_of<T>::value); }
};
template <class T>
struct composed_schema<std::optional<T>> {
  static std::string of(schema_document& in) {
    return R"({"anyOf": )" + joined_schemas({schema_of<T>(in), R"({"type": "null"})"}) + "}";
  }
};
template <class T>
struct composed_schema<std::vector<T>> {
  static std::string of(schema_document& in) { return list_schema(schema_of<T>(in)); }
};
template <class T, std::size_t N>
struct composed_schema<std::array<T, N>> {
  static std::string of(schema_document& in) {
    const auto count = std::to_string(N);
    return R"({"type": "array", "items": )" + schema_of<T>(in) + R"(, "minItems": )" + count +
           R"(, "maxItems": )" + count + "}";
  }
};
template <>
struct composed_schema<bytes> {
  static std::string of(schema_document& in) { return in.of(validation::type_of<bytes>::value); }
};
template <std::size_t N>
struct composed_schema<std::array<std::byte, N>> : composed_schema<bytes> {};
template <class T, class... Rest>
struct composed_schema<std::set<T, Rest...>> : composed_schema<std::vector<T>> {};
template <class T, class... Rest>
struct composed_schema<std::unordered_set<T, Rest...>> : composed_schema<std::vector<T>> {};
template <class K, class V, class... Rest>
struct composed_schema<std::map<K, V, Rest...>> {
  static std::string of(schema_document& in) { return map_schema(schema_of<V>(in)); }
};
template <class K, class V, class... Rest>
struct composed_schema<std::unordered_map<K, V, Rest...>> : composed_schema<std::map<K, V>> {};
template <class... T>
struct composed_schema<std::tuple<T...>> {
  static std::string of(schema_document& in) { return tuple_schema({schema_of<T>(in)...}); }
};
template <class A, class B>
struct composed_schema<std::pair<A, B>> : composed_schema<std::tuple<A, B>> {};
/// The index, and the alternative.
template <class... T>
struct composed_schema<std::variant<T...>> {
  static std::string of(schema_document& in) {
    std::size_t index = 0;
    const auto alternative = [&index](const std::string& value) {
      return tuple_schema({R"({"const": )" + std::to_string(index++) + "}", value});
    };
    return R"({"oneOf": )" + joined_schemas({alternative(schema_of<T>(in))...}) + "}";
  }
};

/// Absent members keep their defaults, so none is required.
template <described_struct T>
std::string struct_schema(schema_document& in) {
  std::string members;
  boost::mp11::mp_for_each<members_of<T>>([&](auto member) {
    using type = std::remove_cvref_t<decltype(std::declval<T&>().*member.pointer)>;
    members += (members.empty() ? "\"" : ", \"") + std::string(member.name) + "\": " + schema_of<type>(in);
  });
  return R"({"type": "object", "properties": {)" + members + "}}";
}

template <class T>
std::string schema_of(schema_document& in) {
  if constexpr (std::is_void_v<T>) {
    return R"({"type": "null"})";
  } else if constexpr (described_struct<T> && !validation::modelled<T>) {
    return in.of_struct(validation::type_name<T>(), struct_schema<T>);
  } else {
    return composed_schema<T>::of(in);
  }
}

}  // namespace quarq::detail
