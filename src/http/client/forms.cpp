#include <array>
#include <random>

#include <fmt/format.h>

#include <quarq/errors.hpp>
#include <quarq/http/request_options.hpp>

#include "codecs/utf8.hpp"
#include "http/client/url.hpp"

namespace quarq::http {

namespace {

// As browsers write it: a space is "+".
std::string form_encoded(std::string_view text) {
  auto encoded = percent_encoded(text);
  std::string out;
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    if (encoded.compare(i, 3, "%20") == 0) {
      out += '+';
      i += 2;
    } else {
      out += encoded[i];
    }
  }
  return out;
}

void refuse_line_ends(std::string_view text, std::string_view what) {
  constexpr std::string_view forbidden("\r\n\0", 3);
  if (text.find_first_of(forbidden) != text.npos)
    throw usage_error(fmt::format("multipart: the {} \"{}\" has a line end or NUL in it", what,
                                  codecs::printable(text, 100)));
}

// As the HTML standard has it for names within quotes.
std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"')
      out += "%22";
    else
      out += c;
  }
  return out + '"';
}

std::string random_boundary() {
  std::random_device source;
  std::string text = "quarq-";
  for (int i = 0; i < 4; ++i) text += fmt::format("{:08x}", source());
  return text;
}

}  // namespace

// ---- form

form::form(std::initializer_list<std::pair<std::string_view, std::string_view>> values) {
  for (const auto& [name, value] : values) add(name, value);
}

form& form::add(std::string_view name, std::string_view value) {
  if (!encoded_.empty()) encoded_ += '&';
  encoded_ += form_encoded(name) + "=" + form_encoded(value);
  return *this;
}

// ---- multipart

multipart::multipart() : boundary_(random_boundary()) {}

void multipart::begin_part(std::string_view name) {
  refuse_line_ends(name, "name");
  parts_ += "--" + boundary_ + "\r\nContent-Disposition: form-data; name=" + in_quotes(name);
}

multipart& multipart::add(std::string_view name, std::string_view value) {
  begin_part(name);
  parts_.append("\r\n\r\n").append(value).append("\r\n");
  return *this;
}

multipart& multipart::add_file(std::string_view name, std::string_view file_name, std::string_view content,
                               std::string_view content_type) {
  refuse_line_ends(file_name, "file name");
  refuse_line_ends(content_type, "type");
  begin_part(name);
  parts_ += "; filename=" + in_quotes(file_name) + "\r\nContent-Type: ";
  parts_.append(content_type).append("\r\n\r\n").append(content).append("\r\n");
  return *this;
}

std::string multipart::content_type() const {
  return "multipart/form-data; boundary=" + boundary_;
}

std::string multipart::encoded() const {
  return parts_ + "--" + boundary_ + "--\r\n";
}

}  // namespace quarq::http
