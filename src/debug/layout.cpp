#include <algorithm>
#include <utility>

#include "codecs/utf8.hpp"
#include "debug/document.hpp"

namespace quarq::debug {
namespace {

using kind = document::kind;

/// More than any line, and far from an overflow when added up.
constexpr std::size_t unlimited = std::size_t(1) << 40;

std::size_t columns_of(std::string_view text) {
  return codecs::count_characters(text);
}

std::string_view colour_of(look style) {
  switch (style) {
    case look::plain:
      return "";
    case look::number:
      return "\x1b[36m";
    case look::text:
      return "\x1b[32m";
    case look::keyword:
      return "\x1b[35m";
    case look::name:
      return "\x1b[1m";
    case look::faint:
      return "\x1b[2m";
    case look::place:
      return "\x1b[33m";
  }
  return "";
}

/// The columns that a token takes where nothing is broken.
std::size_t flat_columns(const document::token& token) {
  switch (token.what) {
    case kind::text:
      return columns_of(token.text);
    case kind::next:
    case kind::fill:
      return 1;
    case kind::always:
      return unlimited;
    default:
      return 0;
  }
}

bool is_break(kind what) {
  return what != kind::text && what != kind::open && what != kind::close;
}

class layouter {
 public:
  layouter(const std::vector<document::token>& tokens, const layout_options& options)
      : tokens_(tokens), options_(options), flat_until_(tokens.size() + 1), end_of_(tokens.size()) {
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      flat_until_[i + 1] = flat_until_[i] + flat_columns(tokens[i]);
      if (tokens[i].what == kind::open) open.push_back(i);
      if (tokens[i].what != kind::close) continue;
      end_of_[open.back()] = i;
      open.pop_back();
    }
  }

  std::string run() && {
    groups_.push_back({true, 0});
    for (std::size_t i = 0; i < tokens_.size(); ++i) place(i);
    return std::move(out_);
  }

 private:
  struct group {
    bool broken;
    std::size_t indent;
  };

  void place(std::size_t i) {
    const auto& token = tokens_[i];
    switch (token.what) {
      case kind::text:
        return write(token);
      case kind::open:
        groups_.push_back(
            {groups_.back().broken && !fits(i, end_of_[i] + 1, 0), groups_.back().indent + options_.indent});
        return;
      case kind::close:
        groups_.pop_back();
        return;
      case kind::last:
        if (!groups_.back().broken) return;
        write({kind::text, look::plain, ","});
        return new_line(groups_[groups_.size() - 2].indent);
      case kind::fill:
        return space_or_line(!groups_.back().broken || fits(i + 1, i + 1, 1));
      case kind::next:
        return space_or_line(!groups_.back().broken);
      case kind::first:
        if (groups_.back().broken) new_line(groups_.back().indent);
        return;
      case kind::always:
        return new_line(groups_.back().indent);
    }
  }

  /// Whether tokens [from, to), and then those up to the next break, fit into this line.
  bool fits(std::size_t from, std::size_t to, std::size_t space) const {
    while (to < tokens_.size() && !is_break(tokens_[to].what)) ++to;
    // A comma may follow the last element.
    const std::size_t comma = to < tokens_.size() && tokens_[to].what == kind::last ? 1 : 0;
    return column_ + space + (flat_until_[to] - flat_until_[from]) + comma <= options_.width;
  }

  void space_or_line(bool is_space) {
    if (!is_space) return new_line(groups_.back().indent);
    pending_ += ' ';
    ++column_;
  }

  void new_line(std::size_t indent) {
    pending_.erase(pending_.find_last_not_of(' ') + 1);  // no line ends in spaces
    pending_.append(1, '\n').append(indent, ' ');
    column_ = indent;
  }

  void write(const document::token& token) {
    if (token.text.empty()) return;
    out_ += pending_;
    pending_.clear();
    const auto colour = options_.colours ? colour_of(token.style) : std::string_view();
    out_ += colour;
    out_ += token.text;
    if (!colour.empty()) out_ += "\x1b[0m";
    column_ += columns_of(token.text);
  }

  const std::vector<document::token>& tokens_;
  const layout_options& options_;
  std::vector<std::size_t> flat_until_;  ///< by token: columns of those before it, in one line
  std::vector<std::size_t> end_of_;      ///< by the token that opens a group: the one that closes it
  std::vector<group> groups_;
  std::string out_;
  std::string pending_;  ///< spaces and line breaks before the next text
  std::size_t column_ = 0;
};

}  // namespace

std::string lay_out(const document& document, const layout_options& options) {
  return layouter(document.tokens(), options).run();
}

}  // namespace quarq::debug
