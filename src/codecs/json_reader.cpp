#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <vector>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse_options.hpp>

#include <quarq/errors.hpp>
#include <quarq/msgpack.hpp>

#include "codecs/base64.hpp"
#include "codecs/json.hpp"
#include "codecs/utf8.hpp"

namespace quarq::codecs {

namespace {

namespace json = boost::json;
using json::error_code;
using json::string_view;

/// Called by Boost.JSON's parser for each piece of a document; writes msgpack as it goes. An array or map is
/// written to a string of its own first, since its length stands before it and is known only at its end.
class msgpack_builder {
 public:
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_key_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();

  msgpack_builder() : levels_(1) {}

  std::string& result() { return levels_.front(); }
  /// What was wrong with a value that is JSON, if anything was.
  const std::string& complaint() const { return complaint_; }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) { return open(); }
  bool on_array_begin(error_code&) { return open(); }

  bool on_object_end(std::size_t count, error_code& error) {
    const std::string body = close();
    if (count == 1 && body.starts_with("\xa6$bytes")) return write_bytes(body, error);
    if (count == 1 && body.starts_with("\xa4$ext")) return write_extension(body, error);
    out().map(count);
    out().raw(body);
    return true;
  }

  bool on_array_end(std::size_t count, error_code&) {
    const std::string body = close();
    out().array(count);
    out().raw(body);
    return true;
  }

  bool on_key_part(string_view part, std::size_t, error_code&) { return keep(part); }
  bool on_key(string_view part, std::size_t, error_code&) { return text(part); }
  bool on_string_part(string_view part, std::size_t, error_code&) { return keep(part); }
  bool on_string(string_view part, std::size_t, error_code&) { return text(part); }
  bool on_number_part(string_view part, error_code&) { return keep(part); }

  bool on_int64(std::int64_t value, string_view, error_code&) {
    out().integer(value);
    parts_.clear();
    return true;
  }

  bool on_uint64(std::uint64_t value, string_view, error_code&) {
    out().unsigned_integer(value);
    parts_.clear();
    return true;
  }

  /// Boost.JSON's own conversion may be off in the last bit, so the digits are converted again.
  bool on_double(double value, string_view part, error_code& error) {
    keep(part);
    if (std::isinf(value)) return refuse("the number is greater than a real number can be", error);
    double exact = value;
    const auto result = std::from_chars(parts_.data(), parts_.data() + parts_.size(), exact);
    out().real(result.ec == std::errc() ? exact : value);
    parts_.clear();
    return true;
  }

  bool on_bool(bool value, error_code&) {
    out().boolean(value);
    return true;
  }

  bool on_null(error_code&) {
    out().nil();
    return true;
  }

  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }

 private:
  encoder out() { return encoder(levels_.back()); }

  bool open() {
    levels_.emplace_back();
    return true;
  }

  std::string close() {
    std::string body = std::move(levels_.back());
    levels_.pop_back();
    return body;
  }

  bool keep(string_view part) {
    parts_.append(part.data(), part.size());
    return true;
  }

  bool text(string_view part) {
    keep(part);
    out().text(parts_);
    parts_.clear();
    return true;
  }

  bool refuse(std::string message, error_code& error) {
    complaint_ = std::move(message);
    error = json::error::syntax;
    return false;
  }

  bool write_bytes(std::string_view body, error_code& error) {
    decoder in(body);
    in.skip();
    const auto data = in.peek() == value_type::text ? from_base64(in.text()) : std::nullopt;
    if (!data) return refuse("\"$bytes\" has to be a string of base 64", error);
    out().binary(*data);
    return true;
  }

  bool write_extension(std::string_view body, error_code& error) {
    try {
      decoder in(body);
      in.skip();
      in.array(2);
      const auto type = static_cast<std::int8_t>(in.integer(-128, 127));
      const auto data = from_base64(in.text());
      if (!data) in.fail("not base 64");
      out().extension(type, *data);
      return true;
    } catch (const decode_error&) {
      return refuse("\"$ext\" has to be [type from -128 to 127, a string of base 64]", error);
    }
  }

  std::vector<std::string> levels_;
  std::string parts_;
  std::string complaint_;
};

[[noreturn]] void fail_at(std::string_view text, std::size_t offset, const std::string& message) {
  const std::string_view before = text.substr(0, offset);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::string_view in_line = before.substr(before.rfind('\n') + 1);
  const auto column = count_characters(in_line) + 1;
  throw decode_error("JSON, line " + std::to_string(line) + ", column " + std::to_string(column) + ": " +
                     message);
}

}  // namespace

std::string json_to_msgpack(std::string_view text) {
  json::parse_options options;
  options.max_depth = decoder::max_depth;
  json::basic_parser<msgpack_builder> parser(options);
  error_code error;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (error) {
    const std::string& complaint = parser.handler().complaint();
    fail_at(text, used, complaint.empty() ? error.message() : complaint);
  }
  const std::size_t rest = text.find_first_not_of(" \t\r\n", used);
  if (rest != std::string_view::npos) fail_at(text, rest, "there is more behind the end of the value");
  return std::move(parser.handler().result());
}

}  // namespace quarq::codecs
