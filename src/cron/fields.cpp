#include "cron/fields.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <quarq/errors.hpp>

namespace quarq::cron {
namespace {

struct limits {
  const char* name;
  int low, high;
  std::span<const std::string_view> names;  ///< of `low` and what follows
};

constexpr std::array<std::string_view, 12> month_names = {"january",   "february", "march",    "april",
                                                          "may",       "june",     "july",     "august",
                                                          "september", "october",  "november", "december"};
constexpr std::array<std::string_view, 7> from_monday = {"monday", "tuesday",  "wednesday", "thursday",
                                                         "friday", "saturday", "sunday"};
constexpr std::array<std::string_view, 8> from_sunday = {"sunday",   "monday", "tuesday",  "wednesday",
                                                         "thursday", "friday", "saturday", "sunday"};

limits limits_of(cron_part part, bool crontab) {
  switch (part) {
    case cron_part::second:
      return {"second", 0, 59, {}};
    case cron_part::minute:
      return {"minute", 0, 59, {}};
    case cron_part::hour:
      return {"hour", 0, 23, {}};
    case cron_part::day:
      return {"day", 1, 31, {}};
    case cron_part::month:
      return {"month", 1, 12, month_names};
    case cron_part::weekday:
      break;
  }
  if (crontab) return {"weekday", 0, 7, from_sunday};
  return {"weekday", 0, 6, from_monday};
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

// Reads one field, which stands in `text` from `begin` to `end`.
class field_reader {
 public:
  using numbers = std::bitset<60>;

  field_reader(std::string_view text, std::size_t begin, std::size_t end, const limits& l, bool crontab)
      : text_(text), at_(begin), end_(end), limits_(l), crontab_(crontab) {}

  numbers read() {
    numbers all;
    while (true) {
      read_element(all);
      if (at_ == end_) return all;
      if (text_[at_] != ',') fail(at_, fmt::format("expected \",\", got \"{}\"", text_[at_]));
      ++at_;
    }
  }

 private:
  // Any, or a number, or a range; and a step.
  void read_element(numbers& all) {
    int from = limits_.low, to = limits_.high;
    const std::size_t start = at_;
    bool open_ended = true;
    if (at_ < end_ && text_[at_] == '*') {
      ++at_;
    } else {
      from = read_value(std::nullopt);
      open_ended = false;
      to = from;
      if (at_ < end_ && text_[at_] == '-') {
        ++at_;
        to = read_value(from);
        open_ended = true;
        if (to < from) fail(start, fmt::format("the range {} ends before it begins", quoted(start, at_)));
      }
    }
    int step = 1;
    if (at_ < end_ && text_[at_] == '/') {
      step = read_step();
      // "5/15": from 5 on.
      if (!open_ended) to = limits_.high;
    }
    for (int n = from; n <= to; n += step) all.set(static_cast<std::size_t>(n));
  }

  int read_step() {
    const std::size_t start = ++at_;
    const int step = read_number(start, "a step");
    const int max = limits_.high - limits_.low + 1;
    if (step < 1 || step > max) {
      fail(start, fmt::format("expected a step from 1 to {}, got {}", max, step));
    }
    return step;
  }

  // `first`: of the range that this value ends. In a crontab Sunday is the first day and the last: "fri-sun" ends
  // on the last, "sun-sun" on the first.
  int read_value(std::optional<int> first) {
    const std::size_t start = at_;
    if (at_ < end_ && is_letter(text_[at_]) && !limits_.names.empty()) return read_name(first);
    const int value = read_number(start, limits_.names.empty() ? "a number" : "a number or a name");
    if (value < limits_.low || value > limits_.high) {
      fail(start, fmt::format("expected {} to {}, got {}", limits_.low, limits_.high, value));
    }
    return value;
  }

  int read_name(std::optional<int> first) {
    const std::size_t start = at_;
    while (at_ < end_ && is_letter(text_[at_])) ++at_;
    const auto word = lower(text_.substr(start, at_ - start));
    const auto fits = [&](std::string_view name) { return word.size() >= 3 && name.starts_with(word); };
    const auto found = std::find_if(limits_.names.begin(), limits_.names.end(), fits);
    if (found == limits_.names.end()) {
      fail(start, fmt::format("{} is no name of a {}", quoted(start, at_), limits_.name));
    }
    const int value = limits_.low + static_cast<int>(found - limits_.names.begin());
    const bool ends_later_range = first && *first != value;
    return ends_later_range && fits(limits_.names.back()) ? limits_.high : value;
  }

  int read_number(std::size_t start, const char* what) {
    while (at_ < end_ && is_digit(text_[at_])) ++at_;
    int value = 0;
    const auto [rest, error] = std::from_chars(text_.data() + start, text_.data() + at_, value);
    if (at_ == start) {
      const auto got = start < end_ ? fmt::format("\"{}\"", text_[start]) : std::string("nothing");
      fail(start, fmt::format("expected {}, got {}", what, got));
    }
    if (error != std::errc()) fail(start, fmt::format("{} is too large", quoted(start, at_)));
    return value;
  }

  std::string quoted(std::size_t from, std::size_t to) const {
    return fmt::format("\"{}\"", text_.substr(from, to - from));
  }

  [[noreturn]] void fail(std::size_t at, const std::string& why) const {
    const char* whole = crontab_ ? "crontab" : limits_.name;
    const auto field = crontab_ ? fmt::format("{}, ", limits_.name) : std::string();
    throw usage_error(fmt::format("{} \"{}\": {}column {}: {}", whole, text_, field, at + 1, why));
  }

  std::string_view text_;
  std::size_t at_, end_;
  limits limits_;
  bool crontab_;
};

template <std::size_t N>
void store(const field_reader::numbers& from, std::bitset<N>& into) {
  into.reset();
  for (std::size_t n = 0; n < N; ++n) into[n] = from[n];
}

void read_field(cron_part part, std::string_view text, std::size_t begin, std::size_t end, bool crontab,
                cron_sets& into) {
  const auto found = field_reader(text, begin, end, limits_of(part, crontab), crontab).read();
  switch (part) {
    case cron_part::second:
      return store(found, into.second);
    case cron_part::minute:
      return store(found, into.minute);
    case cron_part::hour:
      return store(found, into.hour);
    case cron_part::day:
      return store(found, into.day);
    case cron_part::month:
      return store(found, into.month);
    case cron_part::weekday:
      break;
  }
  into.weekday.reset();
  for (std::size_t n = 0; n < 8; ++n) {
    if (found[n]) into.weekday.set(crontab ? (n + 6) % 7 : n);
  }
}

std::string_view expand(std::string_view text) {
  const auto word = lower(text);
  if (word == "@hourly") return "0 * * * *";
  if (word == "@daily" || word == "@midnight") return "0 0 * * *";
  if (word == "@weekly") return "0 0 * * 0";
  if (word == "@monthly") return "0 0 1 * *";
  if (word == "@yearly" || word == "@annually") return "0 0 1 1 *";
  const char* hint = word == "@reboot" ? "; for that there is run_at_startup" : "";
  throw usage_error(
      fmt::format("crontab \"{}\": expected five or six fields, or one of @hourly, @daily, @midnight, "
                  "@weekly, @monthly, @yearly, @annually{}",
                  text, hint));
}

using span_of_text = std::pair<std::size_t, std::size_t>;

std::vector<span_of_text> words_of(std::string_view text) {
  std::vector<span_of_text> words;
  std::size_t at = 0;
  while (true) {
    while (at < text.size() && is_blank(text[at])) ++at;
    if (at == text.size()) return words;
    const std::size_t begin = at;
    while (at < text.size() && !is_blank(text[at])) ++at;
    words.emplace_back(begin, at);
  }
}

}  // namespace

void parse_cron_field(cron_part which, std::string_view text, cron_sets& into) {
  read_field(which, text, 0, text.size(), false, into);
}

cron_sets parse_crontab(std::string_view text) {
  auto words = words_of(text);
  if (words.size() == 1 && text[words[0].first] == '@') {
    text = expand(text.substr(words[0].first, words[0].second - words[0].first));
    words = words_of(text);
  }
  if (words.size() != 5 && words.size() != 6) {
    throw usage_error(
        fmt::format("crontab \"{}\": expected five fields (minute hour day month weekday), or six with "
                    "the second before them, got {}",
                    text, words.size()));
  }
  cron_sets sets;
  auto word = words.begin();
  sets.second.set(0);
  const auto take = [&](cron_part part) {
    read_field(part, text, word->first, word->second, true, sets);
    return text[word++->first] != '*';
  };
  if (words.size() == 6) take(cron_part::second);
  take(cron_part::minute);
  take(cron_part::hour);
  const bool day_restricted = take(cron_part::day);
  take(cron_part::month);
  const bool weekday_restricted = take(cron_part::weekday);
  sets.either_day = day_restricted && weekday_restricted;
  return sets;
}

}  // namespace quarq::cron
