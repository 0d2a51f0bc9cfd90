#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include <quarq/errors.hpp>
#include <quarq/http/fields.hpp>

#include "base/text.hpp"
#include "debug/escape.hpp"
#include "http/message/characters.hpp"
#include "http/message/writer.hpp"

namespace quarq::http {

namespace {

void check_field(std::string_view name, std::string_view value) {
  if (!is_token(name)) {
    throw usage_error(
        fmt::format("a header field's name must be a token, not \"{}\"", debug::escaped(name, '"')));
  }
  if (!is_field_value(value)) {
    throw usage_error(fmt::format("the value of the header field {} has a control character", name));
  }
}

}  // namespace

fields::fields(std::initializer_list<field> list) {
  for (const auto& f : list) add(f.name, f.value);
}

void fields::add(std::string_view name, std::string_view value) {
  value = base::trimmed(value);
  check_field(name, value);
  if (is_own(name) || is_own(value)) {
    // text_ grows, and may move.
    append(std::string(name), std::string(value));
  } else {
    append(name, value);
  }
}

bool fields::is_own(std::string_view text) const noexcept {
  const std::less<const char*> before;
  return !before(text.data(), text_.data()) && !before(text_.data() + text_.size(), text.data());
}

void fields::append(std::string_view name, std::string_view value) {
  places_.push_back({text_.size(), name.size(), text_.size() + name.size(), value.size()});
  text_ += name;
  text_ += value;
}

void fields::reserve(std::size_t bytes, std::size_t count) {
  text_.reserve(bytes);
  places_.reserve(count);
}

void fields::set(std::string_view name, std::string_view value) {
  if (!contains(name)) return add(name, value);
  const std::string own_name(name);
  const std::string own_value(base::trimmed(value));
  check_field(own_name, own_value);
  erase(own_name);
  append(own_name, own_value);
}

std::size_t fields::erase(std::string_view name) {
  if (!contains(name)) return 0;
  fields kept;
  for (const auto& f : *this) {
    if (!equal_names(f.name, name)) kept.append(f.name, f.value);
  }
  const std::size_t erased = size() - kept.size();
  *this = std::move(kept);
  return erased;
}

void fields::clear() noexcept {
  text_.clear();
  places_.clear();
}

field fields::at(std::size_t index) const {
  const auto& p = places_.at(index);
  const std::string_view text(text_);
  return {text.substr(p.name, p.name_size), text.substr(p.value, p.value_size)};
}

std::optional<std::string_view> fields::find(std::string_view name) const {
  for (const auto& p : places_) {
    if (p.name_size != name.size()) continue;
    const std::string_view text(text_);
    if (equal_names(text.substr(p.name, p.name_size), name)) return text.substr(p.value, p.value_size);
  }
  return std::nullopt;
}

std::string_view fields::operator[](std::string_view name) const {
  return find(name).value_or(std::string_view());
}

bool fields::contains(std::string_view name) const {
  return find(name).has_value();
}

std::vector<std::string_view> fields::find_all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& f : *this) {
    if (equal_names(f.name, name)) values.push_back(f.value);
  }
  return values;
}

}  // namespace quarq::http
