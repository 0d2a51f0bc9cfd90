// Names with texts: queries, forms, environments.
#include "validation/texts_input.hpp"

#include <algorithm>

#include <quarq/detail/model_engine.hpp>
#include <quarq/errors.hpp>

#include "codecs/json.hpp"
#include "validation/builder.hpp"
#include "validation/msgpack_input.hpp"

namespace quarq::validation {

namespace {

/// Whether one text can't be one of these, unless it is JSON.
bool is_composed(const type& what) {
  return is_list(what) || what.what == kind::tuple || what.what == kind::map || what.what == kind::object ||
         (what.what == kind::variant && (what.json & json_text) == 0);
}

const member* member_of(const object_type& what, std::string_view name) {
  const auto* end = what.members + what.count;
  const auto* found = std::find_if(what.members, end, [&](const member& one) { return one.name == name; });
  return found == end ? nullptr : found;
}

}  // namespace

const type& innermost(const type& what) {
  switch (what.what) {
    case kind::optional:
      return innermost(*static_cast<const optional_type&>(what).held);
    case kind::secret:
      return innermost(*static_cast<const secret_type&>(what).held);
    default:
      return what;
  }
}

bool is_list(const type& what) {
  return what.what == kind::list || what.what == kind::set;
}

bool put_json(builder& to, std::string_view text) {
  std::string msgpack;
  try {
    msgpack = codecs::json_to_msgpack(text);
  } catch (const decode_error& e) {
    return to.refuse_text(error_kind::json_type, e.what());
  }
  return feed_msgpack(to, msgpack);
}

bool put_text(builder& to, const type& what, const std::string& text) {
  return is_composed(innermost(what)) ? put_json(to, text) : to.text(text);
}

std::vector<model_error> read_texts(const object_type& what, void* target,
                                    const std::vector<named_text>& values) {
  builder made(what, target, true);
  bool more = made.begin_object();
  std::vector<bool> used(values.size());
  for (std::size_t i = 0; i < values.size() && more; ++i) {
    if (used[i]) continue;
    more = made.key(values[i].name);
    const member* one = member_of(what, values[i].name);
    if (!more || one == nullptr) {
      more = more && made.text(values[i].text);
      continue;
    }
    const type& held = innermost(*one->what);
    if (!is_list(held) || values[i].text.starts_with('[')) {
      more = put_text(made, *one->what, values[i].text);
      continue;
    }
    more = made.begin_array();
    for (std::size_t j = i; j < values.size() && more; ++j) {
      if (values[j].name != values[i].name) continue;
      used[j] = true;
      more = put_text(made, *static_cast<const list_type&>(held).element, values[j].text);
    }
    more = more && made.end_array();
  }
  if (more) made.end_object();
  return made.errors().take();
}

}  // namespace quarq::validation
