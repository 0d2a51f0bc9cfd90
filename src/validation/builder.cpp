#include "validation/builder.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <quarq/errors.hpp>

#include "validation/conversion.hpp"

namespace quarq::validation {

namespace {

constexpr std::size_t before_first = no_limit;

}  // namespace

builder::builder(const type& what, void* target, bool lax)
    : root_{&what, target, {}, false}, lax_(lax), errors_(*this) {}

builder::~builder() {
  give_up();
}

void builder::give_up() {
  for (const frame& f : frames_) {
    if (f.in == frame::state::set && f.pending != nullptr)
      static_cast<const list_type&>(*f.what).discard(f.pending);
  }
  frames_.clear();
}

std::vector<path_step> builder::path() const {
  std::vector<path_step> steps;
  std::size_t maps = 0;
  for (const frame& f : frames_) {
    switch (f.in) {
      case frame::state::object:
        if (f.current != nullptr) steps.emplace_back(std::string(f.current->name));
        break;
      case frame::state::list:
      case frame::state::set:
      case frame::state::tuple:
        if (f.index != before_first) steps.emplace_back(f.index);
        break;
      case frame::state::map:
        steps.emplace_back(keys_[maps++]);
        break;
      default:
        break;
    }
  }
  if (extra_key_) steps.emplace_back(*extra_key_);
  return steps;
}

builder::slot builder::next_slot() {
  if (use_recorded_slot_) {
    use_recorded_slot_ = false;
    return recorded_for_;
  }
  if (frames_.empty()) return root_;
  frame& f = frames_.back();
  switch (f.in) {
    case frame::state::object:
      if (f.current == nullptr) return {};
      return {f.current->what, f.current->at(f.target), asked_of(*f.current), f.is_secret};
    case frame::state::list: {
      const auto& list = static_cast<const list_type&>(*f.what);
      ++f.index;
      return {list.element, list.append(f.target), f.asked.of_element(), f.is_secret};
    }
    case frame::state::set: {
      const auto& set = static_cast<const list_type&>(*f.what);
      ++f.index;
      f.pending = set.make();
      return {set.element, f.pending, f.asked.of_element(), f.is_secret};
    }
    case frame::state::tuple: {
      const auto& tuple = static_cast<const tuple_type&>(*f.what);
      if (++f.index >= tuple.count) return {};
      return {tuple.element(f.index), tuple.at(f.target, f.index), f.asked.of_element(), f.is_secret};
    }
    case frame::state::map:
      if (f.pending == nullptr) return {};
      return {static_cast<const map_type&>(*f.what).mapped, f.pending, f.asked.of_element(), f.is_secret};
    case frame::state::tag_value: {
      const auto& variant = static_cast<const variant_type&>(*f.what);
      errors_.add(error_kind::union_tag_invalid, variant.tag, tags_of(variant));
      f.in = frame::state::skip;
      f.index = 1;
      return {};
    }
    default:
      return {};
  }
}

bool builder::resolve_wrapped(slot& s, unsigned json) {
  for (;;) {
    switch (s.what->what) {
      case kind::optional: {
        const auto& optional = static_cast<const optional_type&>(*s.what);
        if (json == json_null) {
          const std::size_t before = errors_.size();
          optional.reset(s.target);
          check_variant_by_user(s.asked, errors_);
          finish_pending(errors_.size() == before);
          return false;
        }
        s.target = optional.emplace(s.target);
        s.what = optional.held;
        break;
      }
      case kind::secret: {
        const auto& secret = static_cast<const secret_type&>(*s.what);
        s.target = secret.at(s.target);
        s.what = secret.held;
        s.is_secret = true;
        break;
      }
      case kind::variant:
        if (!static_cast<const variant_type&>(*s.what).tag.empty()) return true;
        if (!resolve_variant(s, json)) return false;
        break;
      default:
        return true;
    }
  }
}

bool builder::resolve_variant(slot& s, unsigned json) {
  const auto& variant = static_cast<const variant_type&>(*s.what);
  for (std::size_t i = 0; i < variant.count; ++i) {
    const alternative& one = variant.alternatives[i];
    if ((one.what->json & json) == 0) continue;
    s = {one.what, one.emplace(s.target), s.asked.held_by_variant(s.target), s.is_secret};
    return true;
  }
  refuse(variant);
  return false;
}

bool builder::finish_checked(const slot& s, std::size_t errors_before) {
  if (s.asked.own->check_count > 0 && errors_.size() == errors_before)
    check_by_user(*s.asked.own, s.target, errors_);
  if (errors_.size() == errors_before) check_variant_by_user(s.asked, errors_);
  finish_pending(errors_.size() == errors_before);
  return done();
}

/// What the top frame was waiting for has come.
void builder::finish_pending(bool is_right) {
  if (frames_.empty() || frames_.back().in != frame::state::set) return;
  frame& f = frames_.back();
  if (f.pending == nullptr) return;
  const auto& set = static_cast<const list_type&>(*f.what);
  void* made = std::exchange(f.pending, nullptr);
  if (!is_right) return set.discard(made);
  if (set.insert(f.target, made) || !f.asked.own->unique) return;
  const std::size_t index = std::exchange(f.index, before_first);
  errors_.add(error_kind::unique_items, index);
  f.index = index;
}

bool builder::refuse(const type& what) {
  add_type_error(what);
  finish_pending(false);
  return done();
}

void builder::open(frame::state in, const slot& s) {
  frame& f = frames_.emplace_back();
  f.in = in;
  f.is_secret = s.is_secret;
  f.what = s.what;
  f.target = s.target;
  f.asked = s.asked;
  f.index = before_first;
  f.errors_before = errors_.size();
}

void builder::skip_value() {
  frame& f = frames_.emplace_back();
  f.in = frame::state::skip;
  f.index = 1;
}

void builder::open_object(const slot& s, const object_type& what, std::string_view tag) {
  open(frame::state::object, s);
  frame& f = frames_.back();
  f.tag = tag;
  f.seen_begin = seen_.size();
  seen_.resize(seen_.size() + what.count);
}

bool builder::begin_object() {
  if (is_recording()) {
    recording_->begin_object();
    return true;
  }
  return begin_container(true);
}

bool builder::begin_array() {
  if (is_recording()) {
    recording_->begin_array();
    return true;
  }
  return begin_container(false);
}

bool builder::begin_container(bool is_object) {
  if (skips()) {
    ++frames_.back().index;
    return true;
  }
  slot s = next_slot();
  if (s.what == nullptr || !resolve(s, is_object ? json_object : json_array)) {
    skip_value();
    return done();
  }
  switch (s.what->what) {
    case kind::object:
      if (!is_object) break;
      open_object(s, static_cast<const object_type&>(*s.what), {});
      return true;
    case kind::variant: {
      if (!is_object) break;
      const auto& variant = static_cast<const variant_type&>(*s.what);
      if (replayed_ == nullptr) {
        open(frame::state::tag_wanted, s);
        return true;
      }
      std::string_view tag;
      if (replayed_->find_text(replay_position_, variant.tag, tag) != nullptr) {
        choose_alternative(s, tag);
      } else {
        errors_.add(error_kind::union_tag_not_found, variant.tag);
        finish_pending(false);
        skip_value();
      }
      return done();
    }
    case kind::map:
      if (!is_object) break;
      static_cast<const map_type&>(*s.what).clear(s.target);
      open(frame::state::map, s);
      keys_.emplace_back();
      return true;
    case kind::binary:
      if (!is_object) break;
      open(frame::state::bytes_object, s);
      return true;
    case kind::list:
    case kind::set:
      if (is_object) break;
      static_cast<const list_type&>(*s.what).clear(s.target);
      open(s.what->what == kind::list ? frame::state::list : frame::state::set, s);
      return true;
    case kind::tuple:
      if (is_object) break;
      open(frame::state::tuple, s);
      return true;
    case kind::coded:
      record(s);
      return is_object ? begin_object() : begin_array();
    default:
      break;
  }
  refuse(*s.what);
  skip_value();
  return done();
}

void builder::choose_alternative(slot s, std::string_view tag) {
  const auto& variant = static_cast<const variant_type&>(*s.what);
  const auto* end = variant.alternatives + variant.count;
  const auto* found =
      std::find_if(variant.alternatives, end, [&](const alternative& one) { return one.tag == tag; });
  if (found == end) {
    errors_.add(error_kind::union_tag_invalid, variant.tag, tags_of(variant));
    finish_pending(false);
    return skip_value();
  }
  s = {found->what, found->emplace(s.target), s.asked.held_by_variant(s.target), s.is_secret};
  open_object(s, static_cast<const object_type&>(*s.what), variant.tag);
}

bool builder::key(std::string_view name) {
  if (is_recording()) {
    recording_->key(name);
    return true;
  }
  frame& f = frames_.back();
  switch (f.in) {
    case frame::state::object:
      return key_of_object(f, name);
    case frame::state::map:
      return key_of_map(f, name);
    case frame::state::tag_wanted:
      return key_of_tagged(f, name);
    case frame::state::bytes_object:
      f.index = name == "$bytes" && f.index == before_first ? 0 : 1;
      return true;
    default:
      return true;
  }
}

bool builder::key_of_object(frame& f, std::string_view name) {
  const auto& object = static_cast<const object_type&>(*f.what);
  // Members mostly come in their order.
  std::size_t i = f.index + 1;
  if (i >= object.count || object.members[i].name != name) {
    i = 0;
    while (i < object.count && object.members[i].name != name) ++i;
  }
  if (i == object.count) {
    f.current = nullptr;
    if (object.extra == extra_fields::forbid && (f.tag.empty() || name != f.tag)) {
      extra_key_ = std::string(name);
      errors_.add(error_kind::extra_forbidden);
      extra_key_.reset();
    }
    return done();
  }
  f.index = i;
  f.current = &object.members[i];
  auto& seen = seen_[f.seen_begin + i];
  if (seen != 0) {
    errors_.add(error_kind::duplicate_key);
    f.current = nullptr;
    return done();
  }
  seen = 1;
  ++f.seen_count;
  return true;
}

bool builder::key_of_map(frame& f, std::string_view name) {
  const auto& map = static_cast<const map_type&>(*f.what);
  keys_.back() = name;
  f.pending = nullptr;
  bool existed = false;
  if (map.key->what == kind::text) {
    f.pending = map.emplace(f.target, &keys_.back(), existed);
  } else {
    // A key of another type is read from its text, as lax input is: JSON has no other keys.
    alignas(8) std::array<std::byte, 8> place{};
    const std::size_t before = errors_.size();
    slot s{map.key, place.data(), {}, f.is_secret};
    // Its place is this map's; nothing is pending there meanwhile.
    if (map.key->what == kind::enumeration) {
      put_named(s, name);
    } else {
      convert(s, name);
    }
    if (errors_.size() > before) return done();
    f.pending = map.emplace(f.target, place.data(), existed);
  }
  if (existed) {
    errors_.add(error_kind::duplicate_key);
    f.pending = nullptr;
  }
  return done();
}

bool builder::key_of_tagged(frame& f, std::string_view name) {
  if (name == static_cast<const variant_type&>(*f.what).tag) {
    f.in = frame::state::tag_value;
    return true;
  }
  // The tag comes later: the object is kept until then.
  const slot s{f.what, f.target, f.asked, f.is_secret};
  frames_.pop_back();
  record(s);
  recording_->begin_object();
  recording_->key(name);
  return true;
}

bool builder::end_object() {
  if (is_recording()) {
    recording_->end_object();
    return recording_->is_complete() ? finish_recording() : true;
  }
  return end_container();
}

bool builder::end_array() {
  if (is_recording()) {
    recording_->end_array();
    return recording_->is_complete() ? finish_recording() : true;
  }
  return end_container();
}

bool builder::end_container() {
  frame& top = frames_.back();
  if (top.in == frame::state::skip) {
    if (--top.index > 0) return true;
    frames_.pop_back();
    finish_pending(false);
    return done();
  }
  const frame f = top;
  const slot s{f.what, f.target, f.asked, f.is_secret};
  if (f.in == frame::state::object) end_members(f);
  frames_.pop_back();
  switch (f.in) {
    case frame::state::object: {
      seen_.resize(f.seen_begin);
      const auto& object = static_cast<const object_type&>(*f.what);
      for (std::size_t i = 0; i < object.check_count && errors_.size() == f.errors_before; ++i) {
        const std::string complaint = object.checks[i](f.target);
        if (!complaint.empty()) errors_.add(error_kind::value_error, complaint);
      }
      break;
    }
    case frame::state::list:
    case frame::state::set:
      if (s.asked.own->any) {
        const auto& list = static_cast<const list_type&>(*f.what);
        if (errors_.size() == f.errors_before) check_unique(*s.asked.own, list, f.target, errors_);
        check_size(*s.asked.own, list.size(f.target), errors_);
      }
      break;
    case frame::state::tuple: {
      const std::size_t count = static_cast<const tuple_type&>(*f.what).count;
      if (f.index + 1 != count) errors_.add(error_kind::tuple_length, count, plural(count), f.index + 1);
      break;
    }
    case frame::state::map:
      keys_.pop_back();
      if (s.asked.own->any)
        check_size(*s.asked.own, static_cast<const map_type&>(*f.what).size(f.target), errors_);
      break;
    case frame::state::bytes_object:
      if (f.index != 2) errors_.add(error_kind::bytes_invalid_encoding);
      break;
    case frame::state::tag_wanted:
      errors_.add(error_kind::union_tag_not_found, static_cast<const variant_type&>(*f.what).tag);
      break;
    default:
      break;
  }
  return finish(s, f.errors_before);
}

void builder::end_members(const frame& f) {
  const auto& object = static_cast<const object_type&>(*f.what);
  if (!object.has_model || f.seen_count == object.count) return;
  for (std::size_t i = 0; i < object.count; ++i) {
    const member& one = object.members[i];
    if (seen_[f.seen_begin + i] != 0 || one.asked.defaulted || one.what->what == kind::optional) continue;
    frames_.back().current = &one;
    errors_.add(error_kind::missing);
  }
  frames_.back().current = nullptr;
}

void builder::record(const slot& s) {
  recording_ = std::make_unique<tape>();
  recorded_for_ = s;
}

bool builder::finish_recording() {
  const std::unique_ptr<tape> recorded = std::move(recording_);
  if (recorded_for_.what->what == kind::coded) {
    return put_coded_as(recorded_for_, [&](encoder& out) { recorded->write(out); });
  }
  use_recorded_slot_ = true;
  const tape* outer = std::exchange(replayed_, recorded.get());
  const std::size_t outer_position = replay_position_;
  const bool more = recorded->replay(*this, replay_position_);
  replayed_ = outer;
  replay_position_ = outer_position;
  return more;
}

}  // namespace quarq::validation
