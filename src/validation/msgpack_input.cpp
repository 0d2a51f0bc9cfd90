#include "validation/msgpack_input.hpp"

#include <cstdint>
#include <utility>

#include <quarq/detail/model_engine.hpp>
#include <quarq/errors.hpp>

#include "validation/builder.hpp"

namespace quarq::validation {

namespace {

/// Reads one value; false as soon as the builder wants no more.
class msgpack_reader {
 public:
  msgpack_reader(decoder& in, builder& to) : in_(in), to_(to) {}

  bool value() {
    switch (in_.peek()) {
      case value_type::nil:
        in_.nil();
        return to_.null();
      case value_type::boolean:
        return to_.boolean(in_.boolean());
      case value_type::integer:
        return integer();
      case value_type::real:
        return to_.real(in_.real(), {});
      case value_type::text:
        return to_.text(in_.text());
      case value_type::binary:
        return to_.binary(in_.binary());
      case value_type::array:
        return array();
      case value_type::map:
        return map();
      case value_type::timestamp:
      case value_type::extension:
        return to_.raw(in_.raw());
    }
    return false;
  }

 private:
  /// The integer that comes next, and whether it is below zero.
  std::pair<std::uint64_t, bool> number() {
    const std::string_view encoded = in_.raw();
    const auto first = static_cast<unsigned char>(encoded[0]);
    const bool negative = first >= 0xe0 || (first >= 0xd0 && static_cast<signed char>(encoded[1]) < 0);
    decoder one(encoded);
    return {negative ? static_cast<std::uint64_t>(one.integer()) : one.unsigned_integer(), negative};
  }

  bool integer() {
    const auto [bits, negative] = number();
    return negative ? to_.integer(static_cast<std::int64_t>(bits)) : to_.unsigned_integer(bits);
  }

  bool array() {
    const std::size_t count = in_.array();
    decoder::scope place(in_);
    if (!to_.begin_array()) return false;
    for (std::size_t i = 0; i < count; ++i) {
      place.element(i);
      if (!value()) return false;
    }
    return to_.end_array();
  }

  bool map() {
    const std::size_t count = in_.map();
    decoder::scope place(in_);
    if (!to_.begin_object()) return false;
    for (std::size_t i = 0; i < count; ++i) {
      place.key(i + 1);
      if (!key() || !value()) return false;
    }
    return to_.end_object();
  }

  /// Keys that are no text are those of maps, which read them from their text.
  bool key() {
    switch (in_.peek()) {
      case value_type::integer: {
        const auto [bits, negative] = number();
        return to_.key(negative ? std::to_string(static_cast<std::int64_t>(bits)) : std::to_string(bits));
      }
      case value_type::boolean:
        return to_.key(in_.boolean() ? "true" : "false");
      default:
        return to_.key(in_.text());
    }
  }

  decoder& in_;
  builder& to_;
};

}  // namespace

bool feed_msgpack(builder& to, std::string_view data) {
  decoder in(data);
  if (!msgpack_reader(in, to).value()) return false;
  in.finish();
  return true;
}

std::vector<model_error> read_msgpack(const type& what, void* target, std::string_view data, bool lax) {
  builder made(what, target, lax);
  try {
    feed_msgpack(made, data);
  } catch (const decode_error& e) {
    made.give_up();
    made.errors().add(error_kind::msgpack_invalid, e.what());
  }
  return made.errors().take();
}

}  // namespace quarq::validation
