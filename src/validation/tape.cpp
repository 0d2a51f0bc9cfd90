#include "validation/tape.hpp"

#include "validation/builder.hpp"

namespace quarq::validation {

tape::event& tape::put(operation what) {
  const bool is_key = what == operation::key;
  const bool ends = what == operation::end_object || what == operation::end_array;
  if (!open_.empty() && !ends) {
    event& around = events_[open_.back()];
    if ((around.what == operation::begin_object) == is_key) ++around.size;
  }
  return events_.emplace_back(event{what});
}

void tape::put(operation what, std::string_view text) {
  event& made = put(what);
  made.number = text_.size();
  made.size = text.size();
  text_ += text;
}

void tape::open(operation what) {
  put(what);
  open_.push_back(events_.size() - 1);
}

void tape::close(operation what) {
  put(what);
  events_[open_.back()].number = events_.size();
  open_.pop_back();
}

std::size_t tape::after(std::size_t i) const {
  const event& e = events_[i];
  const bool holds_others = e.what == operation::begin_object || e.what == operation::begin_array;
  return holds_others ? static_cast<std::size_t>(e.number) : i + 1;
}

const std::string_view* tape::find_text(std::size_t object, std::string_view name,
                                        std::string_view& found) const {
  for (std::size_t i = object + 1; events_[i].what == operation::key; i = after(i + 1)) {
    if (text_of(events_[i]) != name) continue;
    if (events_[i + 1].what != operation::text) return nullptr;
    found = text_of(events_[i + 1]);
    return &found;
  }
  return nullptr;
}

bool tape::replay(builder& to, std::size_t& position) const {
  for (position = 0; position < events_.size(); ++position) {
    const event& e = events_[position];
    bool more = true;
    switch (e.what) {
      case operation::begin_object:
        more = to.begin_object();
        break;
      case operation::end_object:
        more = to.end_object();
        break;
      case operation::begin_array:
        more = to.begin_array();
        break;
      case operation::end_array:
        more = to.end_array();
        break;
      case operation::key:
        more = to.key(text_of(e));
        break;
      case operation::text:
        more = to.text(text_of(e));
        break;
      case operation::binary:
        more = to.binary(text_of(e));
        break;
      case operation::raw:
        more = to.raw(text_of(e));
        break;
      case operation::integer:
        more = to.integer(static_cast<std::int64_t>(e.number));
        break;
      case operation::unsigned_integer:
        more = to.unsigned_integer(e.number);
        break;
      case operation::real:
        more = to.real(e.fraction, text_of(e));
        break;
      case operation::boolean:
        more = to.boolean(e.number != 0);
        break;
      case operation::null:
        more = to.null();
        break;
    }
    if (!more) return false;
  }
  return true;
}

void tape::write(encoder& out) const {
  for (const event& e : events_) {
    switch (e.what) {
      case operation::begin_object:
        out.map(e.size);
        break;
      case operation::begin_array:
        out.array(e.size);
        break;
      case operation::end_object:
      case operation::end_array:
        break;
      case operation::key:
      case operation::text:
        out.text(text_of(e));
        break;
      case operation::binary:
        out.binary(text_of(e));
        break;
      case operation::raw:
        out.raw(text_of(e));
        break;
      case operation::integer:
        out.integer(static_cast<std::int64_t>(e.number));
        break;
      case operation::unsigned_integer:
        out.unsigned_integer(e.number);
        break;
      case operation::real:
        out.real(e.fraction);
        break;
      case operation::boolean:
        out.boolean(e.number != 0);
        break;
      case operation::null:
        out.nil();
        break;
    }
  }
}

}  // namespace quarq::validation
