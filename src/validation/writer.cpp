// Values as msgpack, by their tables.
#include <quarq/bytes.hpp>
#include <quarq/detail/model_engine.hpp>

#include "validation/value_checks.hpp"

namespace quarq::validation {

namespace {

/// An element or entry on its way through a callback.
struct writing {
  encoder* out;
  const type* element;
  const type* key;
};

void write_key(const type& what, const void* key, encoder& out) {
  write_msgpack(what, key, out);
}

void write_object(const object_type& what, const void* value, std::string_view tag,
                  std::string_view tag_value, encoder& out) {
  bool tag_is_member = tag.empty();
  for (std::size_t i = 0; i < what.count; ++i) tag_is_member = tag_is_member || what.members[i].name == tag;
  out.map(what.count + (tag_is_member ? 0 : 1));
  const encoder::scope level(out);
  if (!tag_is_member) {
    out.text(tag);
    out.text(tag_value);
  }
  for (std::size_t i = 0; i < what.count; ++i) {
    const member& one = what.members[i];
    out.text(one.name);
    // The place of a member is the same in an object that does not change.
    if (!tag.empty() && one.name == tag && one.what->what == kind::text) {
      out.text(tag_value);
    } else {
      write_msgpack(*one.what, one.at(const_cast<void*>(value)), out);
    }
  }
}

void write_variant(const variant_type& what, const void* value, encoder& out) {
  const alternative& held = what.alternatives[what.index(value)];
  if (what.tag.empty()) return write_msgpack(*held.what, what.get(value), out);
  write_object(static_cast<const object_type&>(*held.what), what.get(value), what.tag, held.tag, out);
}

void write_list(const list_type& what, const void* value, encoder& out) {
  out.array(what.size(value));
  const encoder::scope level(out);
  writing context{&out, what.element, nullptr};
  what.each(value, &context, [](void* to, const void* element) {
    const auto& into = *static_cast<writing*>(to);
    write_msgpack(*into.element, element, *into.out);
  });
}

void write_map(const map_type& what, const void* value, encoder& out) {
  out.map(what.size(value));
  const encoder::scope level(out);
  writing context{&out, what.mapped, what.key};
  what.each(value, &context, [](void* to, const void* key, const void* mapped) {
    const auto& into = *static_cast<writing*>(to);
    write_key(*into.key, key, *into.out);
    write_msgpack(*into.element, mapped, *into.out);
  });
}

}  // namespace

void write_msgpack(const type& what, const void* value, encoder& out) {
  switch (what.what) {
    case kind::boolean:
      return out.boolean(*static_cast<const bool*>(value));
    case kind::integer: {
      const wide_integer number = load(static_cast<const integer_type&>(what), value);
      if (number < 0) return out.integer(static_cast<std::int64_t>(number));
      return out.unsigned_integer(static_cast<std::uint64_t>(number));
    }
    case kind::real: {
      const auto& real = static_cast<const real_type&>(what);
      if (real.size == sizeof(float)) return out.real(*static_cast<const float*>(value));
      return out.real(*static_cast<const double*>(value));
    }
    case kind::text:
      return out.text(*static_cast<const std::string*>(value));
    case kind::binary:
      return out.binary(as_chars(*static_cast<const bytes*>(value)));
    case kind::nil:
      return out.nil();
    case kind::enumeration:
      return out.text(name_of(static_cast<const enum_type&>(what), value));
    case kind::optional: {
      const auto& optional = static_cast<const optional_type&>(what);
      const void* held = optional.get(value);
      return held != nullptr ? write_msgpack(*optional.held, held, out) : out.nil();
    }
    case kind::secret: {
      const auto& secret = static_cast<const secret_type&>(what);
      return write_msgpack(*secret.held, secret.at(const_cast<void*>(value)), out);
    }
    case kind::list:
    case kind::set:
      return write_list(static_cast<const list_type&>(what), value, out);
    case kind::tuple: {
      const auto& tuple = static_cast<const tuple_type&>(what);
      out.array(tuple.count);
      const encoder::scope level(out);
      for (std::size_t i = 0; i < tuple.count; ++i)
        write_msgpack(*tuple.element(i), tuple.at(const_cast<void*>(value), i), out);
      return;
    }
    case kind::map:
      return write_map(static_cast<const map_type&>(what), value, out);
    case kind::object:
      return write_object(static_cast<const object_type&>(what), value, {}, {}, out);
    case kind::variant:
      return write_variant(static_cast<const variant_type&>(what), value, out);
    case kind::coded:
      return static_cast<const coded_type&>(what).encode(value, out);
  }
}

}  // namespace quarq::validation
