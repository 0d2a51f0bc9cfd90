// Codecs of enums, and of the structs and enums that a program describes:
//     struct mail { std::string to; int copies = 1; };
//     BOOST_DESCRIBE_STRUCT(mail, (), (to, copies))
// Included by <quarq/codec.hpp>.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <boost/describe.hpp>
#include <boost/mp11/algorithm.hpp>

#include <quarq/codec.hpp>
#include <quarq/detail/described.hpp>

namespace quarq {

namespace detail {

/// Throws usage_error about an enumerator that is not described.
[[noreturn]] void fail_unnamed_enumerator(std::int64_t value);
/// Throws decode_error: "expected one of low, high, got "medium"". `names` is "low, high".
[[noreturn]] void fail_enumerator(decoder& in, const std::string& names, const std::string& got);

template <described_enum T>
std::string enumerator_names() {
  std::string names;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto enumerator) {
    if (!names.empty()) names += ", ";
    names += enumerator.name;
  });
  return names;
}

}  // namespace detail

/// A described struct is a map from its members' names to their values. A member that is missing keeps the
/// value that T() gives it; a key that is not a member is skipped. So members can be added at any time, and
/// removed once no reader needs them.
template <detail::described_struct T>
struct codec<T> {
  static_assert(
      std::is_default_constructible_v<T>,
      "quarq: a described struct needs a default constructor, whose values the missing members take");

  static void encode(encoder& out, const T& value) {
    out.map(boost::mp11::mp_size<detail::members_of<T>>::value);
    const encoder::scope level(out);
    boost::mp11::mp_for_each<detail::members_of<T>>([&](auto member) {
      out.text(member.name);
      quarq::encode(out, value.*member.pointer);
    });
  }

  static T decode(decoder& in) {
    const std::size_t count = in.map();
    T value{};
    decoder::scope place(in);
    for (std::size_t i = 0; i < count; ++i) {
      place.key(i + 1);
      if (in.peek() == value_type::text) {
        decode_member(in, place, value, in.text());
      } else {
        in.skip();
        in.skip();
      }
    }
    return value;
  }

 private:
  static void decode_member(decoder& in, decoder::scope& place, T& value, std::string_view name) {
    place.field(name);
    bool known = false;
    boost::mp11::mp_for_each<detail::members_of<T>>([&](auto member) {
      if (known || name != member.name) return;
      known = true;
      auto& target = value.*member.pointer;
      target = quarq::decode<std::remove_cvref_t<decltype(target)>>(in);
    });
    if (!known) in.skip();
  }
};

/// A described enum travels as the name of its enumerator; its number is accepted too.
template <detail::described_enum T>
struct codec<T> {
  using number = std::underlying_type_t<T>;

  static void encode(encoder& out, T value) {
    const char* name = detail::enumerator_name(value);
    if (!name) detail::fail_unnamed_enumerator(static_cast<std::int64_t>(value));
    out.text(name);
  }

  static T decode(decoder& in) {
    if (in.peek() == value_type::integer) {
      const auto value = static_cast<T>(quarq::decode<number>(in));
      if (!detail::enumerator_name(value))
        detail::fail_enumerator(in, detail::enumerator_names<T>(),
                                std::to_string(static_cast<number>(value)));
      return value;
    }
    if (in.peek() != value_type::text) in.fail_expected("one of " + detail::enumerator_names<T>());
    const std::string_view name = in.text();
    T value{};
    bool known = false;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto enumerator) {
      if (name != enumerator.name) return;
      value = enumerator.value;
      known = true;
    });
    if (!known)
      detail::fail_enumerator(in, detail::enumerator_names<T>(), '"' + std::string(name.substr(0, 40)) + '"');
    return value;
  }
};

/// Any other enum travels as its number, in the underlying type.
template <class T>
  requires (std::is_enum_v<T> && !detail::described_enum<T>)
struct codec<T> {
  using number = std::underlying_type_t<T>;
  static void encode(encoder& out, T value) { quarq::encode(out, static_cast<number>(value)); }
  static T decode(decoder& in) { return static_cast<T>(quarq::decode<number>(in)); }
};

}  // namespace quarq
