#include "validation/json_input.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse_options.hpp>

#include <quarq/detail/model_engine.hpp>

#include "codecs/utf8.hpp"
#include "validation/builder.hpp"

namespace quarq::validation {

namespace {

namespace json = boost::json;
using json::error_code;
using json::string_view;

std::string_view as_std(string_view text) noexcept {
  return {text.data(), text.size()};
}

/// Called by Boost.JSON's parser for each piece of a document; gives whole texts and numbers to a builder.
class events {
 public:
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_key_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();

  explicit events(builder& to) : to_(to) {}

  /// Whether it was the builder that wanted no more.
  bool gave_up() const noexcept { return gave_up_; }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code& e) { return go_on(to_.begin_object(), e); }
  bool on_object_end(std::size_t, error_code& e) { return go_on(to_.end_object(), e); }
  bool on_array_begin(error_code& e) { return go_on(to_.begin_array(), e); }
  bool on_array_end(std::size_t, error_code& e) { return go_on(to_.end_array(), e); }
  bool on_key_part(string_view part, std::size_t, error_code&) { return keep(part); }
  bool on_key(string_view part, std::size_t, error_code& e) {
    const bool more = to_.key(whole(part));
    parts_.clear();
    return go_on(more, e);
  }
  bool on_string_part(string_view part, std::size_t, error_code&) { return keep(part); }
  bool on_string(string_view part, std::size_t, error_code& e) {
    const bool more = to_.text(whole(part));
    parts_.clear();
    return go_on(more, e);
  }
  bool on_number_part(string_view part, error_code&) { return keep(part); }
  bool on_int64(std::int64_t value, string_view, error_code& e) {
    parts_.clear();
    return go_on(to_.integer(value), e);
  }
  bool on_uint64(std::uint64_t value, string_view, error_code& e) {
    parts_.clear();
    return go_on(to_.unsigned_integer(value), e);
  }
  /// Boost.JSON's own conversion may be off in the last bit, so the digits are converted again.
  bool on_double(double value, string_view part, error_code& e) {
    const std::string_view digits = whole(part);
    double exact = value;
    if (std::isfinite(value)) {
      const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), exact);
      if (result.ec != std::errc()) exact = value;
    }
    const bool more = to_.real(exact, digits);
    parts_.clear();
    return go_on(more, e);
  }
  bool on_bool(bool value, error_code& e) { return go_on(to_.boolean(value), e); }
  bool on_null(error_code& e) { return go_on(to_.null(), e); }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }

 private:
  bool go_on(bool more, error_code& error) {
    if (more) return true;
    gave_up_ = true;
    error = json::error::syntax;
    return false;
  }
  bool keep(string_view part) {
    parts_.append(part.data(), part.size());
    return true;
  }
  /// A text mostly comes in one part, which needs no copy.
  std::string_view whole(string_view part) {
    if (parts_.empty()) return as_std(part);
    keep(part);
    return parts_;
  }

  builder& to_;
  std::string parts_;
  bool gave_up_ = false;
};

void add_syntax_error(error_list& errors, std::string_view text, std::size_t offset,
                      const std::string& message) {
  const std::string_view before = text.substr(0, offset);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::string_view in_line = before.substr(before.rfind('\n') + 1);
  errors.add(error_kind::json_invalid, message, line, codecs::count_characters(codecs::to_utf8(in_line)) + 1);
}

}  // namespace

void feed_json(builder& to, std::string_view text) {
  json::parse_options options;
  options.max_depth = decoder::max_depth;
  json::basic_parser<events> parser(options, to);
  error_code error;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (parser.handler().gave_up()) return;
  if (error) to.give_up();
  if (error == json::error::too_deep) return to.errors().add(error_kind::too_deep, decoder::max_depth);
  if (error) return add_syntax_error(to.errors(), text, used, error.message());
  const std::size_t rest = text.find_first_not_of(" \t\r\n", used);
  if (rest != std::string_view::npos)
    add_syntax_error(to.errors(), text, rest, "there is more behind the end of the value");
}

std::vector<model_error> read_json(const type& what, void* target, std::string_view text, bool lax) {
  builder made(what, target, lax);
  feed_json(made, text);
  return made.errors().take();
}

}  // namespace quarq::validation
