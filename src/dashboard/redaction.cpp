#include "dashboard/redaction.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace quarq::dashboard {

namespace {

constexpr std::string_view replacement = "\"[redacted]\"";

std::string folded(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    if (c == '_' || c == '-') continue;
    plain += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return plain;
}

// Copies JSON that is known to be well-formed.
class json_copy {
 public:
  json_copy(std::string_view in, const redaction& by) : in_(in), by_(by) { out_.reserve(in.size()); }

  std::string run() {
    while (at_ < in_.size()) {
      if (in_[at_] == '"') {
        copy_string();
      } else {
        out_ += in_[at_++];
      }
    }
    return std::move(out_);
  }

 private:
  std::size_t end_of_string(std::size_t from) const {
    for (std::size_t i = from + 1; i < in_.size(); ++i) {
      if (in_[i] == '\\') {
        ++i;
      } else if (in_[i] == '"') {
        return i + 1;
      }
    }
    return in_.size();
  }

  std::size_t past_spaces(std::size_t from) const {
    while (from < in_.size() && (in_[from] == ' ' || in_[from] == '\n' || in_[from] == '\t')) ++from;
    return from;
  }

  // A name, if a colon follows: its value may have to be replaced.
  void copy_string() {
    const auto end = end_of_string(at_);
    const auto text = in_.substr(at_, end - at_);
    out_ += text;
    at_ = end;
    const auto colon = past_spaces(end);
    if (colon >= in_.size() || in_[colon] != ':' || !by_.is_secret(text)) return;
    const auto value = past_spaces(colon + 1);
    out_ += in_.substr(end, value - end);
    out_ += replacement;
    at_ = end_of_value(value);
  }

  std::size_t end_of_value(std::size_t from) const {
    std::size_t depth = 0;
    while (from < in_.size()) {
      const char c = in_[from];
      if (c == '"') {
        from = end_of_string(from);
        if (depth == 0) return from;
        continue;
      }
      const bool closes = c == '}' || c == ']';
      if (depth == 0 && (closes || c == ',')) return from;
      if (closes && --depth == 0) return from + 1;
      if (c == '{' || c == '[') ++depth;
      ++from;
    }
    return from;
  }

  std::string_view in_;
  const redaction& by_;
  std::size_t at_ = 0;
  std::string out_;
};

}  // namespace

redaction::redaction(const std::vector<std::string>& words, bool hides_payloads)
    : hides_payloads_(hides_payloads) {
  for (const auto& word : words) {
    if (auto plain = folded(word); !plain.empty()) words_.push_back(std::move(plain));
  }
}

std::string redaction::log_line(std::string text) const {
  return hides_payloads_ ? "[redacted]" : std::move(text);
}

bool redaction::is_secret(std::string_view name) const {
  const auto plain = folded(name);
  return std::ranges::any_of(words_, [&](const auto& word) { return plain.find(word) != plain.npos; });
}

std::string redaction::apply(std::string_view json) const {
  if (json.empty()) return {};
  if (hides_payloads_) return std::string(replacement);
  return json_copy(json, *this).run();
}

}  // namespace quarq::dashboard
