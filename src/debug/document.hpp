// Text that knows where it may be broken over lines, and the layout of it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace quarq::debug {

/// What a text is, for its colour.
enum class look { plain, number, text, keyword, name, faint, place };

/// A sequence of texts, of groups that stand in one line if they fit, and of the places where lines may
/// break.
class document {
 public:
  enum class kind {
    text,
    open,    ///< a group begins, and with it a level of indentation
    close,   ///< it ends
    first,   ///< before the first element: nothing, or a new line
    next,    ///< between elements: a space, or a new line
    fill,    ///< between elements: a new line only if the next one does not fit into this one
    last,    ///< after the last element: nothing, or a comma and a new line of the group around this one
    always,  ///< a new line, which breaks all groups around it
  };
  struct token {
    kind what;
    look style = look::plain;
    std::string text;
  };

  void text(look style, std::string_view text);
  /// A group whose elements each begin with element(). `fill`: as many in a line as fit.
  void open(std::string_view opening, bool fill, char closing);
  void element();
  void close();
  void line_break() { tokens_.push_back({kind::always, look::plain, {}}); }
  void space_or_break() { tokens_.push_back({kind::fill, look::plain, {}}); }
  /// A level of indentation without brackets, always broken. REQUIRES: close_block() afterwards.
  void open_block();
  void close_block() { tokens_.push_back({kind::close, look::plain, {}}); }

  const std::vector<token>& tokens() const noexcept { return tokens_; }

  /// Where the document ends now.
  struct mark {
    std::size_t tokens, groups;
  };
  mark here() const noexcept { return {tokens_.size(), groups_.size()}; }
  /// Takes back what was written since. REQUIRES: no group that was open at the mark has been closed.
  void cut(mark end);

 private:
  struct group {
    bool fill;
    bool is_empty;
    char closing;
  };

  std::vector<token> tokens_;
  std::vector<group> groups_;
};

struct layout_options {
  std::size_t width;
  std::size_t indent;
  bool colours;
};

/// The document's lines, without a line break at the end. A group stands in one line if it and what follows
/// it up to the next place for a break fit; else each of its elements begins a line (Oppen's "consistent"
/// breaks, those of `fill` his "inconsistent" ones: "Prettyprinting", 1980). Columns are code points.
std::string lay_out(const document& document, const layout_options& options);

}  // namespace quarq::debug
