// What is wrong with a value that exists.
#include <utility>

#include <quarq/bytes.hpp>
#include <quarq/detail/model_engine.hpp>

#include "codecs/utf8.hpp"
#include "validation/error_list.hpp"
#include "validation/value_checks.hpp"

namespace quarq::validation {

namespace {

class walker final : path_source {
 public:
  walker() : errors_(*this) {}

  void value(const type& what, const void* at, const asked_rules& asked);
  std::vector<model_error> take() { return errors_.take(); }
  std::vector<path_step> path() const override;

 private:
  /// A member, a map's key or an index. Few values are wrong, so it becomes a step of a path only then.
  struct step {
    std::string_view member;
    const type* key_type = nullptr;
    const void* key = nullptr;
    std::size_t index = 0;
  };
  /// An element or entry on its way through a callback.
  struct visit {
    walker* self;
    const type* element;
    const asked_rules* asked;
    const type* key;
    std::size_t index;
  };

  bool is_too_deep() {
    if (depth_ < decoder::max_depth) return false;
    errors_.add(error_kind::too_deep, decoder::max_depth);
    return true;
  }
  void object(const object_type& what, const void* at);
  void list(const list_type& what, const void* at, const asked_rules& asked);
  void map(const map_type& what, const void* at, const asked_rules& asked);
  void tuple(const tuple_type& what, const void* at, const asked_rules& asked);
  void scalar(const type& what, const void* at, const asked_rules& asked);
  void coded(const coded_type& what, const void* at, const value_rules& asked);
  static std::string name_of_key(const type& what, const void* key);

  std::vector<step> steps_;
  int depth_ = 0;
  bool is_secret_ = false;
  error_list errors_;
};

std::vector<path_step> walker::path() const {
  std::vector<path_step> result;
  for (const step& one : steps_) {
    if (one.key != nullptr) {
      result.emplace_back(name_of_key(*one.key_type, one.key));
    } else if (one.member.data() != nullptr) {
      result.emplace_back(std::string(one.member));
    } else {
      result.emplace_back(one.index);
    }
  }
  return result;
}

void walker::value(const type& what, const void* at, const asked_rules& asked) {
  if (errors_.is_full()) return;
  const std::size_t before = errors_.size();
  switch (what.what) {
    case kind::optional: {
      const auto& optional = static_cast<const optional_type&>(what);
      if (const void* held = optional.get(at)) value(*optional.held, held, asked);
      return;
    }
    case kind::secret: {
      const auto& secret = static_cast<const secret_type&>(what);
      const bool outer = std::exchange(is_secret_, true);
      value(*secret.held, secret.at(const_cast<void*>(at)), asked);
      is_secret_ = outer;
      return;
    }
    case kind::variant: {
      const auto& variant = static_cast<const variant_type&>(what);
      value(*variant.alternatives[variant.index(at)].what, variant.get(at), {});
      break;
    }
    case kind::object:
    case kind::list:
    case kind::set:
    case kind::map:
    case kind::tuple:
      if (is_too_deep()) return;
      ++depth_;
      if (what.what == kind::object) {
        object(static_cast<const object_type&>(what), at);
      } else if (what.what == kind::map) {
        map(static_cast<const map_type&>(what), at, asked);
      } else if (what.what == kind::tuple) {
        tuple(static_cast<const tuple_type&>(what), at, asked);
      } else {
        list(static_cast<const list_type&>(what), at, asked);
      }
      --depth_;
      break;
    default:
      scalar(what, at, asked);
  }
  if (asked.own->check_count > 0 && errors_.size() == before) check_by_user(*asked.own, at, errors_);
}

void walker::object(const object_type& what, const void* at) {
  const std::size_t before = errors_.size();
  for (std::size_t i = 0; i < what.count; ++i) {
    const member& one = what.members[i];
    steps_.push_back({one.name, nullptr, nullptr, 0});
    value(*one.what, one.at(const_cast<void*>(at)), asked_of(one));
    steps_.pop_back();
  }
  for (std::size_t i = 0; i < what.check_count && errors_.size() == before; ++i) {
    const std::string complaint = what.checks[i](at);
    if (!complaint.empty()) errors_.add(error_kind::value_error, complaint);
  }
}

void walker::list(const list_type& what, const void* at, const asked_rules& asked) {
  const std::size_t before = errors_.size();
  const asked_rules of_element = asked.of_element();
  visit context{this, what.element, &of_element, nullptr, 0};
  const bool is_scalar = what.element->what <= kind::nil && !of_element.own->any;
  if (!is_scalar || what.element->what == kind::text || what.element->what == kind::real) {
    what.each(at, &context, [](void* raw, const void* element) {
      auto& to = *static_cast<visit*>(raw);
      to.self->steps_.push_back({{}, nullptr, nullptr, to.index++});
      to.self->value(*to.element, element, *to.asked);
      to.self->steps_.pop_back();
    });
  }
  if (!asked.own->any) return;
  if (errors_.size() == before) check_unique(*asked.own, what, at, errors_);
  check_size(*asked.own, what.size(at), errors_);
}

std::string walker::name_of_key(const type& what, const void* key) {
  switch (what.what) {
    case kind::text:
      return *static_cast<const std::string*>(key);
    case kind::integer:
      return digits_of(load(static_cast<const integer_type&>(what), key));
    case kind::boolean:
      return *static_cast<const bool*>(key) ? "true" : "false";
    case kind::enumeration: {
      const auto& names = static_cast<const enum_type&>(what);
      for (std::size_t i = 0; i < names.count; ++i) {
        if (names.values[i].value == names.get(key)) return std::string(names.values[i].name);
      }
      return std::to_string(names.get(key));
    }
    default:
      return {};
  }
}

void walker::map(const map_type& what, const void* at, const asked_rules& asked) {
  const asked_rules of_element = asked.of_element();
  visit context{this, what.mapped, &of_element, what.key, 0};
  what.each(at, &context, [](void* raw, const void* key, const void* mapped) {
    auto& to = *static_cast<visit*>(raw);
    to.self->steps_.push_back({{}, to.key, key, 0});
    to.self->value(*to.element, mapped, *to.asked);
    to.self->steps_.pop_back();
  });
  if (asked.own->any) check_size(*asked.own, what.size(at), errors_);
}

void walker::tuple(const tuple_type& what, const void* at, const asked_rules& asked) {
  for (std::size_t i = 0; i < what.count; ++i) {
    steps_.push_back({{}, nullptr, nullptr, i});
    value(*what.element(i), what.at(const_cast<void*>(at), i), asked.of_element());
    steps_.pop_back();
  }
}

void walker::scalar(const type& what, const void* at, const asked_rules& asked) {
  switch (what.what) {
    case kind::integer:
      if (asked.own->any)
        check_integer(*asked.own, load(static_cast<const integer_type&>(what), at), errors_);
      return;
    case kind::real:
      return check_real(*asked.own, load(static_cast<const real_type&>(what), at), errors_);
    case kind::text: {
      const auto& text = *static_cast<const std::string*>(at);
      if (!codecs::is_utf8(text)) return errors_.add(error_kind::string_unicode);
      if (asked.own->any) check_text(asked, text, errors_);
      return;
    }
    case kind::binary:
      return check_length(*asked.own, static_cast<const bytes*>(at)->size(), error_kind::bytes_too_short,
                          error_kind::bytes_too_long, errors_);
    case kind::enumeration: {
      const auto& names = static_cast<const enum_type&>(what);
      const std::int64_t number = names.get(at);
      for (std::size_t i = 0; i < names.count; ++i) {
        if (names.values[i].value == number) return;
      }
      return errors_.add(error_kind::enum_value, names_of(names));
    }
    case kind::coded:
      return coded(static_cast<const coded_type&>(what), at, *asked.own);
    default:
      return;
  }
}

void walker::coded(const coded_type& what, const void* at, const value_rules& asked) {
  std::string encoded;
  try {
    encoder out(encoded);
    what.encode(at, out);
  } catch (const usage_error& e) {
    return errors_.add(error_kind::coded_value, is_secret_ ? "Value can't be written" : e.what());
  }
  if (what.means == coded_type::meaning::duration && asked.any) {
    decoder in(encoded);
    check_integer(asked, in.integer(), errors_);
  }
}

}  // namespace

std::vector<model_error> check(const type& what, const void* value) {
  walker w;
  w.value(what, value, {});
  return w.take();
}

}  // namespace quarq::validation
