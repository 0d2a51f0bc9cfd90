// A model as constants: what QUARQ_MODEL wrote, checked against the type. Included by <quarq/model_fields.hpp>.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

#include <boost/mp11/algorithm.hpp>

#include <quarq/detail/described.hpp>
#include <quarq/detail/model_rules.hpp>
#include <quarq/detail/model_tag.hpp>
#include <quarq/detail/model_type.hpp>

namespace quarq::validation {

/// "order" of shop::order: what the compiler calls T, without namespaces.
template <class T>
constexpr std::string_view type_name() {
  std::string_view name = __PRETTY_FUNCTION__;
  name.remove_prefix(name.find("T = ") + 4);
  name = name.substr(0, name.find_first_of(";]"));
  const std::size_t scope = name.substr(0, name.find('<')).rfind("::");
  return scope == std::string_view::npos ? name : name.substr(scope + 2);
}

template <auto Function, class T>
std::string call_check(const void* value) {
  return std::string(Function(*static_cast<const T*>(value)));
}

inline constexpr std::size_t not_described = static_cast<std::size_t>(-1);

/// Which of the described members of T this is.
template <class T, class Pointer>
constexpr std::size_t index_of_member(Pointer pointer) {
  std::size_t found = not_described, index = 0;
  boost::mp11::mp_for_each<quarq::detail::members_of<T>>([&](auto described) {
    if constexpr (std::is_same_v<std::remove_cv_t<decltype(described.pointer)>, Pointer>) {
      if (described.pointer == pointer) found = index;
    }
    ++index;
  });
  return found;
}

/// Everything that QUARQ_MODEL says of T. Parts are field(), each(), check<>() and the options.
template <class T, std::size_t Parts>
struct definition {
  std::array<field_rules, Parts> fields{};
  std::size_t field_count = 0;
  std::array<check_function, Parts> checks{};
  std::size_t check_count = 0;
  extra_fields extra = extra_fields::ignore;
  bool all_defaulted = false;

  constexpr void add(extra_fields what) { extra = what; }

  template <class Part>
  constexpr void add(const Part& part) {
    if constexpr (requires { part.pointer; }) {
      fields[field_count++] = {index_of_member<T>(part.pointer), Part::of_elements, part.what};
    } else if constexpr (requires { part.template of<T>(); }) {
      checks[check_count++] = part.template of<T>();
    } else {
      all_defaulted = true;
    }
  }

  constexpr bool knows_all_members() const {
    for (std::size_t i = 0; i < field_count; ++i) {
      if (fields[i].member == not_described) return false;
    }
    return true;
  }
  constexpr bool names_members_once() const {
    for (std::size_t i = 0; i < field_count; ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (fields[i].member == fields[j].member && fields[i].of_elements == fields[j].of_elements)
          return false;
      }
    }
    return true;
  }
};

template <class T, class... Parts>
constexpr auto define(const Parts&... parts) {
  definition<T, sizeof...(Parts)> result;
  (result.add(parts), ...);
  return result;
}

template <modelled T>
inline constexpr auto definition_of = quarq_model(tag<T>{});

template <class T>
constexpr rules rules_of([[maybe_unused]] std::size_t index) {
  rules result;
  if constexpr (modelled<T>) {
    constexpr auto& known = definition_of<T>;
    for (std::size_t i = 0; i < known.field_count; ++i) {
      const field_rules& one = known.fields[i];
      if (one.member != index) continue;
      if (one.of_elements) {
        result.each = one.what;
      } else {
        const value_rules each = result.each;
        result = one.what;
        result.each = each;
      }
    }
    if (known.all_defaulted) result.defaulted = true;
  }
  return result;
}

/// The name of each member in the input.
template <class T>
constexpr bool has_each_name_once() {
  constexpr std::size_t count = boost::mp11::mp_size<quarq::detail::members_of<T>>::value;
  std::array<std::string_view, count + 1> names{};
  std::size_t index = 0;
  boost::mp11::mp_for_each<quarq::detail::members_of<T>>([&](auto described) {
    const std::string_view alias = rules_of<T>(index).alias;
    names[index++] = alias.empty() ? std::string_view(described.name) : alias;
  });
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (names[i] == names[j]) return false;
    }
  }
  return true;
}

/// Where QUARQ_MODEL stands, so that a wrong model does not compile even where nobody uses it.
template <class T>
constexpr bool check_model() {
  static_assert(
      quarq::detail::described_struct<T>,
      "quarq: a model is of a struct that is described, beside its definition, with BOOST_DESCRIBE_STRUCT");
  if constexpr (quarq::detail::described_struct<T>) {
    static_assert(definition_of<T>.knows_all_members(),
                  "quarq: a field of this model is not among the members that BOOST_DESCRIBE_STRUCT names");
    static_assert(definition_of<T>.names_members_once(),
                  "quarq: this model has a field for the same member twice");
    static_assert(has_each_name_once<T>(),
                  "quarq: two members of this model have the same name in the input: see their alias()");
  }
  return true;
}

template <class T>
constexpr object_type object_of(const member* members, std::size_t count) {
  object_type result{{kind::object, json_object}, type_name<T>(), members, count, modelled<T>};
  if constexpr (modelled<T>) {
    constexpr auto& known = definition_of<T>;
    result.all_defaulted = known.all_defaulted;
    result.extra = known.extra;
    result.check_count = known.check_count;
    result.checks = known.checks.data();
  }
  return result;
}

// ---- variants by tag

template <std::size_t N>
struct tag_values {
  std::string_view name;
  std::array<std::string_view, N> values;
};

template <class Variant, class... Values>
constexpr auto define_tags(std::string_view name, Values... values) {
  static_assert(sizeof...(Values) == std::variant_size_v<Variant>,
                "quarq: QUARQ_TAGGED takes one value of the tag for each alternative of the variant");
  return tag_values<sizeof...(Values)>{name, {std::string_view(values)...}};
}

template <tagged Variant>
constexpr bool check_tags() {
  constexpr auto tags = quarq_tags(tag<Variant>{});
  bool distinct = true;
  for (std::size_t i = 0; i < tags.values.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) distinct = distinct && tags.values[i] != tags.values[j];
  }
  return distinct;
}

template <class Variant>
constexpr std::string_view tag_name() {
  if constexpr (tagged<Variant>) {
    return quarq_tags(tag<Variant>{}).name;
  } else {
    return {};
  }
}

template <class Variant>
constexpr std::string_view tag_at([[maybe_unused]] std::size_t index) {
  if constexpr (tagged<Variant>) {
    return quarq_tags(tag<Variant>{}).values[index];
  } else {
    return {};
  }
}

}  // namespace quarq::validation
