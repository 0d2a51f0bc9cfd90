#include "validation/value_checks.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <numeric>

#include <re2/re2.h>

#include <quarq/detail/model_engine.hpp>
#include <quarq/errors.hpp>

#include "codecs/utf8.hpp"
#include "validation/formats.hpp"

namespace quarq::validation {

namespace {

std::string to_text(double value) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  return std::string(digits, end);
}

/// Compiled once for each member, and never destroyed: threads that outlive main may still use it.
const RE2& compiled(std::string_view pattern, compiled_pattern& slot) {
  if (const void* made = slot.load(std::memory_order_acquire)) return *static_cast<const RE2*>(made);
  auto fresh = std::make_unique<RE2>(re2::StringPiece(pattern.data(), pattern.size()), RE2::Quiet);
  if (!fresh->ok())
    throw usage_error(fmt::format("pattern '{}' of a model: RE2 says: {}", pattern, fresh->error()));
  const void* expected = nullptr;
  if (!slot.compare_exchange_strong(expected, fresh.get(), std::memory_order_acq_rel))
    return *static_cast<const RE2*>(expected);
  return *fresh.release();
}

bool is_multiple(double value, double step) {
  const double ratio = value / step;
  const double whole = std::nearbyint(ratio);
  // 0.3 is a multiple of 0.1, although no double is exactly either.
  return std::abs(ratio - whole) <= 1e-9 * std::max(1.0, std::abs(ratio));
}

}  // namespace

std::string_view name_of(const enum_type& what, const void* value) {
  const std::int64_t number = what.get(value);
  for (std::size_t i = 0; i < what.count; ++i) {
    if (what.values[i].value == number) return what.values[i].name;
  }
  throw usage_error(fmt::format("the value {} of enum {} has no name", number, what.name));
}

std::string digits_of(wide_integer value) {
  if (value < 0) return "-" + std::to_string(static_cast<std::uint64_t>(-value));
  return std::to_string(static_cast<std::uint64_t>(value));
}

wide_integer least(const integer_type& what) noexcept {
  return what.is_signed ? -(wide_integer{1} << (what.size * 8 - 1)) : wide_integer{0};
}

wide_integer greatest(const integer_type& what) noexcept {
  return (wide_integer{1} << (what.size * 8 - (what.is_signed ? 1 : 0))) - 1;
}

wide_integer load(const integer_type& what, const void* value) noexcept {
  std::uint64_t bits = 0;
  std::memcpy(&bits, value, what.size);
  if (!what.is_signed) return bits;
  const unsigned unused = static_cast<unsigned>(64 - what.size * 8);
  return static_cast<std::int64_t>(bits << unused) >> unused;
}

void store(const integer_type& what, void* target, wide_integer value) noexcept {
  const auto bits = static_cast<std::uint64_t>(value);
  switch (what.size) {
    case 1:
      std::memcpy(target, &bits, 1);
      break;
    case 2:
      std::memcpy(target, &bits, 2);
      break;
    case 4:
      std::memcpy(target, &bits, 4);
      break;
    default:
      std::memcpy(target, &bits, 8);
      break;
  }
}

double load(const real_type& what, const void* value) noexcept {
  return what.size == sizeof(float) ? static_cast<double>(*static_cast<const float*>(value))
                                    : *static_cast<const double*>(value);
}

void check_integer(const value_rules& asked, wide_integer value, error_list& errors) {
  if (asked.low.is_set && (asked.low.exclusive ? value <= asked.low.whole : value < asked.low.whole))
    errors.add(asked.low.exclusive ? error_kind::greater_than : error_kind::greater_than_equal,
               digits_of(asked.low.whole));
  if (asked.high.is_set && (asked.high.exclusive ? value >= asked.high.whole : value > asked.high.whole))
    errors.add(asked.high.exclusive ? error_kind::less_than : error_kind::less_than_equal,
               digits_of(asked.high.whole));
  if (asked.multiple.is_set && value % asked.multiple.whole != 0)
    errors.add(error_kind::multiple_of, digits_of(asked.multiple.whole));
}

void check_real(const value_rules& asked, double value, error_list& errors) {
  if (!asked.allow_nan && !std::isfinite(value)) return errors.add(error_kind::finite_number);
  if (asked.low.is_set && !(asked.low.exclusive ? value > asked.low.real : value >= asked.low.real))
    errors.add(asked.low.exclusive ? error_kind::greater_than : error_kind::greater_than_equal,
               to_text(asked.low.real));
  if (asked.high.is_set && !(asked.high.exclusive ? value < asked.high.real : value <= asked.high.real))
    errors.add(asked.high.exclusive ? error_kind::less_than : error_kind::less_than_equal,
               to_text(asked.high.real));
  if (asked.multiple.is_set && !is_multiple(value, asked.multiple.real))
    errors.add(error_kind::multiple_of, to_text(asked.multiple.real));
}

void check_length(const value_rules& asked, std::size_t size, error_kind too_short, error_kind too_long,
                  error_list& errors) {
  if (size < asked.min_length) errors.add(too_short, asked.min_length, plural(asked.min_length));
  if (size > asked.max_length) errors.add(too_long, asked.max_length, plural(asked.max_length));
}

void check_text(const asked_rules& asked, std::string_view value, error_list& errors) {
  const value_rules& own = *asked.own;
  // A character has one to four bytes, so most texts need not be counted.
  if ((value.size() + 3) / 4 < own.min_length || value.size() > own.max_length)
    check_length(own, codecs::count_characters(value), error_kind::string_too_short,
                 error_kind::string_too_long, errors);
  if (asked.pattern != nullptr &&
      !RE2::PartialMatch(re2::StringPiece(value.data(), value.size()), compiled(own.pattern, *asked.pattern)))
    errors.add(error_kind::string_pattern_mismatch, own.pattern);
  if (own.format != text_format::none && !has_format(own.format, value)) errors.add(kind_of(own.format));
}

void check_by_user(const value_rules& asked, const void* value, error_list& errors) {
  for (std::size_t i = 0; i < asked.check_count; ++i) {
    const std::string complaint = asked.checks[i](value);
    if (!complaint.empty()) errors.add(error_kind::value_error, complaint);
  }
}

void check_variant_by_user(const asked_rules& asked, error_list& errors) {
  if (asked.of_variant != nullptr) check_by_user(*asked.of_variant, asked.variant, errors);
}

void check_size(const value_rules& asked, std::size_t size, error_list& errors) {
  if (size < asked.min_length)
    errors.add(error_kind::too_short, asked.min_length, plural(asked.min_length), size);
  if (size > asked.max_length)
    errors.add(error_kind::too_long, asked.max_length, plural(asked.max_length), size);
}

void check_unique(const value_rules& asked, const list_type& what, const void* value, error_list& errors) {
  if (!asked.unique || what.keeps_equals_once) return;
  // Equal values are written alike.
  struct written {
    const type* what;
    std::vector<std::string> elements;
  } all{what.element, {}};
  what.each(value, &all, [](void* context, const void* element) {
    auto& into = *static_cast<written*>(context);
    encoder out(into.elements.emplace_back());
    write_msgpack(*into.what, element, out);
  });
  std::vector<std::size_t> order(all.elements.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const int compared = all.elements[a].compare(all.elements[b]);
    return compared != 0 ? compared < 0 : a < b;
  });
  std::vector<std::size_t> again;
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (all.elements[order[i]] == all.elements[order[i - 1]]) again.push_back(order[i]);
  }
  std::sort(again.begin(), again.end());
  for (const std::size_t index : again) errors.add(error_kind::unique_items, index);
}

std::string listed(const std::vector<std::string_view>& names, bool quote) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
    if (quote) text += '\'';
    text += names[i];
    if (quote) text += '\'';
  }
  return text;
}

std::string names_of(const enum_type& what) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < what.count; ++i) names.push_back(what.values[i].name);
  return listed(names);
}

std::string tags_of(const variant_type& what) {
  std::vector<std::string_view> tags;
  for (std::size_t i = 0; i < what.count; ++i) tags.push_back(what.alternatives[i].tag);
  return listed(tags);
}

}  // namespace quarq::validation
