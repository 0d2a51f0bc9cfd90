#include "validation/error_list.hpp"

#include <algorithm>
#include <cctype>

#include "codecs/json_text.hpp"
#include "codecs/utf8.hpp"

namespace quarq {

namespace {

bool is_plain_name(std::string_view name) {
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return c >= 0x80 || std::isalnum(c) != 0 || c == '_' || c == '-';
         });
}

std::string summary_of(const std::vector<model_error>& errors, const std::string& what) {
  std::string text = what.empty() ? "" : what + ": ";
  if (errors.size() > 1) text += fmt::format("{} errors: ", errors.size());
  for (std::size_t i = 0; i < errors.size(); ++i) {
    if (i > 0) text += "; ";
    text += to_string(errors[i]);
  }
  return text;
}

}  // namespace

std::string to_string(const std::vector<path_step>& path) {
  std::string text;
  for (const path_step& step : path) {
    if (const auto* index = std::get_if<std::size_t>(&step)) {
      text += fmt::format("[{}]", *index);
      continue;
    }
    const auto& name = std::get<std::string>(step);
    if (is_plain_name(name)) {
      if (!text.empty()) text += '.';
      text += name;
    } else {
      text += "[\"" + codecs::printable(name, 80) + "\"]";
    }
  }
  return text;
}

std::string to_string(const model_error& error) {
  std::string text = to_string(error.path);
  if (!text.empty()) text += ": ";
  text += error.message;
  if (!error.source.empty()) text += " (from " + error.source + ")";
  return text;
}

std::string to_json(const std::vector<model_error>& errors) {
  std::string out = "[";
  for (const model_error& error : errors) {
    if (out.size() > 1) out += ", ";
    out += "{\"kind\": ";
    codecs::append_json_string(out, error.kind);
    out += ", \"path\": [";
    for (std::size_t i = 0; i < error.path.size(); ++i) {
      if (i > 0) out += ", ";
      if (const auto* index = std::get_if<std::size_t>(&error.path[i])) {
        out += std::to_string(*index);
      } else {
        codecs::append_json_string(out, std::get<std::string>(error.path[i]));
      }
    }
    out += "], \"message\": ";
    codecs::append_json_string(out, error.message);
    if (!error.source.empty()) {
      out += ", \"source\": ";
      codecs::append_json_string(out, error.source);
    }
    out += '}';
  }
  return out + "]";
}

validation_error::validation_error(std::vector<model_error> errors, const std::string& what)
    : decode_error(summary_of(errors, what)), errors_(std::move(errors)) {}

validation_error::validation_error(const std::string& text, std::vector<model_error> errors)
    : decode_error(text), errors_(std::move(errors)) {}

invalid_value::invalid_value(std::vector<model_error> errors, const std::string& what)
    : usage_error(summary_of(errors, what)), errors_(std::move(errors)) {}

}  // namespace quarq
