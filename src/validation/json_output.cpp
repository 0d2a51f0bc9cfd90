// Values as JSON, by their tables: what codecs::to_json makes of their msgpack, without making that.
#include <charconv>
#include <cstdint>

#include <fmt/format.h>

#include <quarq/bytes.hpp>
#include <quarq/detail/model_engine.hpp>
#include <quarq/errors.hpp>

#include "codecs/base64.hpp"
#include "codecs/json.hpp"
#include "codecs/json_text.hpp"
#include "validation/value_checks.hpp"

namespace quarq::validation {

namespace {

class json_output {
 public:
  explicit json_output(std::string& out) noexcept : out_(out) {}

  void value(const type& what, const void* at);

 private:
  /// An element or entry on its way through a callback.
  struct visit {
    json_output* self;
    const type* element;
    const type* key;
    bool is_first;
  };

  void open(char bracket) {
    if (++depth_ > decoder::max_depth)
      throw usage_error(fmt::format("values are nested deeper than {} levels", decoder::max_depth));
    out_ += bracket;
  }
  void close(char bracket) {
    --depth_;
    out_ += bracket;
  }
  void separate(bool& is_first) {
    if (!is_first) out_ += ", ";
    is_first = false;
  }
  void name(std::string_view text) {
    codecs::append_json_string(out_, text);
    out_ += ": ";
  }

  void whole(wide_integer number);
  void key(const type& what, const void* at);
  void object(const object_type& what, const void* at, std::string_view tag, std::string_view tag_value);
  void list(const list_type& what, const void* at);
  void map(const map_type& what, const void* at);
  void tuple(const tuple_type& what, const void* at);
  void coded(const coded_type& what, const void* at);

  std::string& out_;
  int depth_ = 0;
};

void json_output::whole(wide_integer number) {
  char digits[24];
  const auto end =
      number < 0 ? std::to_chars(digits, digits + sizeof digits, static_cast<std::int64_t>(number)).ptr
                 : std::to_chars(digits, digits + sizeof digits, static_cast<std::uint64_t>(number)).ptr;
  out_.append(digits, end);
}

void json_output::object(const object_type& what, const void* at, std::string_view tag,
                         std::string_view tag_value) {
  bool tag_is_member = tag.empty();
  for (std::size_t i = 0; i < what.count && !tag_is_member; ++i) tag_is_member = what.members[i].name == tag;
  open('{');
  bool is_first = true;
  if (!tag_is_member) {
    separate(is_first);
    name(tag);
    codecs::append_json_string(out_, tag_value);
  }
  for (std::size_t i = 0; i < what.count; ++i) {
    const member& one = what.members[i];
    separate(is_first);
    name(one.name);
    // The place of a member is the same in an object that does not change.
    if (!tag.empty() && one.name == tag && one.what->what == kind::text) {
      codecs::append_json_string(out_, tag_value);
    } else {
      value(*one.what, one.at(const_cast<void*>(at)));
    }
  }
  close('}');
}

void json_output::list(const list_type& what, const void* at) {
  open('[');
  visit context{this, what.element, nullptr, true};
  what.each(at, &context, [](void* raw, const void* element) {
    auto& to = *static_cast<visit*>(raw);
    to.self->separate(to.is_first);
    to.self->value(*to.element, element);
  });
  close(']');
}

void json_output::tuple(const tuple_type& what, const void* at) {
  open('[');
  bool is_first = true;
  for (std::size_t i = 0; i < what.count; ++i) {
    separate(is_first);
    value(*what.element(i), what.at(const_cast<void*>(at), i));
  }
  close(']');
}

// Keys are texts, whatever their type.
void json_output::key(const type& what, const void* at) {
  if (what.what == kind::text || what.what == kind::enumeration) return value(what, at);
  out_ += '"';
  value(what, at);
  out_ += '"';
}

void json_output::map(const map_type& what, const void* at) {
  open('{');
  visit context{this, what.mapped, what.key, true};
  what.each(at, &context, [](void* raw, const void* key, const void* mapped) {
    auto& to = *static_cast<visit*>(raw);
    to.self->separate(to.is_first);
    to.self->key(*to.key, key);
    to.self->out_ += ": ";
    to.self->value(*to.element, mapped);
  });
  close('}');
}

void json_output::coded(const coded_type& what, const void* at) {
  std::string encoded;
  encoder to(encoded);
  what.encode(at, to);
  out_ += codecs::to_json(encoded);
}

void json_output::value(const type& what, const void* at) {
  switch (what.what) {
    case kind::boolean:
      out_ += *static_cast<const bool*>(at) ? "true" : "false";
      return;
    case kind::integer:
      return whole(load(static_cast<const integer_type&>(what), at));
    case kind::real:
      return codecs::append_json_real(out_, load(static_cast<const real_type&>(what), at));
    case kind::text:
      return codecs::append_json_string(out_, *static_cast<const std::string*>(at));
    case kind::binary:
      out_ += "{\"$bytes\": \"";
      out_ += codecs::to_base64(as_chars(*static_cast<const bytes*>(at)));
      out_ += "\"}";
      return;
    case kind::nil:
      out_ += "null";
      return;
    case kind::enumeration:
      return codecs::append_json_string(out_, name_of(static_cast<const enum_type&>(what), at));
    case kind::optional: {
      const auto& optional = static_cast<const optional_type&>(what);
      if (const void* held = optional.get(at)) return value(*optional.held, held);
      out_ += "null";
      return;
    }
    case kind::secret: {
      const auto& secret = static_cast<const secret_type&>(what);
      return value(*secret.held, secret.at(const_cast<void*>(at)));
    }
    case kind::list:
    case kind::set:
      return list(static_cast<const list_type&>(what), at);
    case kind::tuple:
      return tuple(static_cast<const tuple_type&>(what), at);
    case kind::map:
      return map(static_cast<const map_type&>(what), at);
    case kind::object:
      return object(static_cast<const object_type&>(what), at, {}, {});
    case kind::variant: {
      const auto& variant = static_cast<const variant_type&>(what);
      const alternative& held = variant.alternatives[variant.index(at)];
      if (variant.tag.empty()) return value(*held.what, variant.get(at));
      return object(static_cast<const object_type&>(*held.what), variant.get(at), variant.tag, held.tag);
    }
    case kind::coded:
      return coded(static_cast<const coded_type&>(what), at);
  }
}

}  // namespace

void write_json(const type& what, const void* value, std::string& out) {
  json_output(out).value(what, value);
}

}  // namespace quarq::validation
