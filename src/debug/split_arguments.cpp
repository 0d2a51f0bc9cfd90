#include "debug/split_arguments.hpp"

#include <algorithm>
#include <cctype>
#include <string>
#include <utility>

#include "base/text.hpp"

namespace quarq::debug {
namespace {

bool is_name_part(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// A pair of "<" and ">" that may be brackets.
struct angle_pair {
  std::size_t begin, end;
  bool looks_compared;  ///< "a < b": there is a space before it
};

struct separators {
  std::vector<std::size_t> commas;  ///< outside of other brackets
  std::vector<angle_pair> angles;
};

/// Goes through the text once, and skips what is no code: strings, characters.
class scanner {
 public:
  explicit scanner(std::string_view text) : text_(text) {}

  separators run() && {
    while (at_ < text_.size()) step();
    return std::move(found_);
  }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  /// The letters and digits directly before this place.
  std::string_view word_before() const {
    std::size_t begin = at_;
    while (begin > 0 && is_name_part(text_[begin - 1])) --begin;
    return text_.substr(begin, at_ - begin);
  }

  void step() {
    switch (peek()) {
      case '"':
        return word_before().ends_with('R') ? skip_raw_string() : skip_quoted('"');
      case '\'':
        return is_digit_separator() ? skip(1) : skip_quoted('\'');
      case '(':
      case '[':
      case '{':
        ++depth_;
        return skip(1);
      case ')':
      case ']':
      case '}':
        leave();
        return skip(1);
      case ',':
        if (depth_ == 0) found_.commas.push_back(at_);
        return skip(1);
      case '-':
        return skip(peek(1) == '>' ? 2 : 1);
      case '<':
        return open_angle();
      case '>':
        return close_angle();
      default:
        return skip(1);
    }
  }

  void skip(std::size_t count) { at_ += count; }

  bool is_digit_separator() const {
    const auto word = word_before();
    return !word.empty() && word != "u8" && word != "u" && word != "U" && word != "L";
  }

  void skip_quoted(char quote) {
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    ++at_;
  }

  /// R"x(...)x"
  void skip_raw_string() {
    const std::size_t open = std::min(text_.find('(', at_), text_.size());
    const auto end = ")" + std::string(text_.substr(at_ + 1, open - at_ - 1)) + "\"";
    const std::size_t close = text_.find(end, open);
    at_ = close == text_.npos ? text_.size() : close + end.size();
  }

  /// "<" in brackets that end can't be closed any more.
  void leave() {
    --depth_;
    while (!open_.empty() && open_.back().depth > depth_) open_.pop_back();
  }

  void open_angle() {
    if (peek(1) == '<' || peek(1) == '=')
      return skip(peek(2) == '=' || peek(2) == '>' ? 3 : 2);  // << <<= <= <=>
    open_.push_back({at_, depth_});
    skip(1);
  }

  void close_angle() {
    if (peek(1) == '=') return skip(2);
    if (!open_.empty() && open_.back().depth == depth_) {
      const std::size_t begin = open_.back().at;
      open_.pop_back();
      if (depth_ == 0) found_.angles.push_back({begin, at_, begin > 0 && text_[begin - 1] == ' '});
    }
    skip(1);
  }

  struct open_angle_at {
    std::size_t at;
    int depth;
  };

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::vector<open_angle_at> open_;
  separators found_;
};

std::vector<std::size_t> outside(const std::vector<std::size_t>& commas,
                                 const std::vector<angle_pair>& angles) {
  std::vector<std::size_t> left;
  for (const std::size_t comma : commas) {
    const auto holds = [&](const angle_pair& pair) { return pair.begin < comma && comma < pair.end; };
    if (std::none_of(angles.begin(), angles.end(), holds)) left.push_back(comma);
  }
  return left;
}

std::vector<std::string_view> cut(std::string_view text, const std::vector<std::size_t>& commas) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  for (const std::size_t comma : commas) {
    parts.push_back(base::trimmed(text.substr(begin, comma - begin)));
    begin = comma + 1;
  }
  parts.push_back(base::trimmed(text.substr(begin)));
  return parts;
}

}  // namespace

std::vector<std::string_view> split_arguments(std::string_view text, std::size_t count) {
  if (count == 0) return {};
  auto [commas, angles] = scanner(text).run();
  if (commas.size() + 1 == count) return cut(text, commas);
  // Too many: those in "<...>" do not separate. If there are too few then, some of these are comparisons, and
  // those most likely that are written like one.
  std::sort(angles.begin(), angles.end(), [](const angle_pair& a, const angle_pair& b) {
    return std::pair(a.looks_compared, a.begin) < std::pair(b.looks_compared, b.begin);
  });
  while (true) {
    const auto left = outside(commas, angles);
    if (left.size() + 1 == count) return cut(text, left);
    if (left.size() + 1 > count || angles.empty()) return {};
    angles.pop_back();
  }
}

}  // namespace quarq::debug
