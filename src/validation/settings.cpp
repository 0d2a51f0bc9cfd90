#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <unistd.h>

#include <quarq/settings.hpp>

#include "base/text.hpp"
#include "validation/builder.hpp"
#include "validation/dotenv.hpp"
#include "validation/texts_input.hpp"

namespace quarq::validation {

namespace {

std::map<std::string, std::string> own_environment() {
  std::map<std::string, std::string> result;
  for (char** one = environ; one != nullptr && *one != nullptr; ++one) {
    const std::string_view entry = *one;
    const std::size_t equals = entry.find('=');
    if (equals != std::string_view::npos) result.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return result;
}

std::string in_capitals(std::string_view name) {
  std::string result;
  for (const char c : name) {
    if (c == '-' || c == '.') {
      result += '_';
    } else {
      result += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    }
  }
  return result;
}

std::optional<std::string> content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    // An empty file writes nothing, which is a failure of the stream and not of the file.
    if (!file.is_open() || file.bad()) return std::nullopt;
  }
  return text.str();
}

/// A variable: its text, and where it came from.
struct found_text {
  std::string text;
  std::string source;
};

class settings_reader {
 public:
  settings_reader(builder& to, const settings_sources& from)
      : to_(to),
        environment_(from.environment ? *from.environment : own_environment()),
        env_file_(from.env_file) {
    if (env_file_.empty()) return;
    if (const auto text = content_of(env_file_)) file_ = parse_dotenv(*text);
  }

  void read(const object_type& what, const std::string& prefix) {
    for (const std::size_t line : file_.bad_lines) {
      to_.errors().add(error_kind::dotenv_syntax, line);
      sources_.emplace_back("", fmt::format("{} line {}", env_file_, line));
    }
    if (to_.begin_object() && members(what, prefix, "")) to_.end_object();
  }

  /// Where the value at this path came from. Errors of one path come in the order of their sources.
  std::string source_at(const std::vector<path_step>& path) {
    if (path.empty() && !sources_.empty() && sources_.front().first.empty()) {
      std::string source = sources_.front().second;
      sources_.erase(sources_.begin());
      return source;
    }
    std::vector<path_step> around = path;
    while (!around.empty()) {
      const std::string place = to_string(around);
      for (const auto& [known, source] : sources_) {
        if (known == place) return source;
      }
      around.pop_back();
    }
    return {};
  }

 private:
  bool members(const object_type& what, const std::string& prefix, const std::string& path) {
    for (std::size_t i = 0; i < what.count; ++i) {
      const member& one = what.members[i];
      const std::string name = prefix + in_capitals(one.name);
      const std::string place = to_string({path_step(std::string(one.name))});
      if (!read_member(one, name, path.empty() ? place : path + (place[0] == '[' ? "" : ".") + place))
        return false;
    }
    return true;
  }

  bool read_member(const member& one, const std::string& name, const std::string& path) {
    const type& held = innermost(*one.what);
    const auto found = find(name);
    sources_.emplace_back(path, found ? found->source : "environment " + name);
    if (found) return to_.key(one.name) && put(*one.what, held, found->text);
    if (const auto file = find(name + "_FILE")) {
      sources_.back().second = "file " + file->text;
      if (!to_.key(one.name)) return false;
      const auto text = content_of(file->text);
      if (!text) return to_.refuse_text(error_kind::secret_file, std::strerror(errno));
      return put(*one.what, held, std::string(without_line_break(*text)));
    }
    if (held.what != kind::object || !has_any(name + "__")) return true;
    return to_.key(one.name) && to_.begin_object() &&
           members(static_cast<const object_type&>(held), name + "__", path) && to_.end_object();
  }

  bool put(const type& what, const type& held, const std::string& text) {
    if (!is_list(held) || text.starts_with('[')) return put_text(to_, what, text);
    if (!to_.begin_array()) return false;
    std::string_view rest = text;
    while (!base::trimmed(rest, base::white_space).empty()) {
      const std::size_t comma = rest.find(',');
      const std::string one(base::trimmed(rest.substr(0, comma), base::white_space));
      if (!put_text(to_, *static_cast<const list_type&>(held).element, one)) return false;
      rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    }
    return to_.end_array();
  }

  static std::string_view without_line_break(std::string_view text) {
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (text.ends_with('\r')) text.remove_suffix(1);
    return text;
  }

  std::optional<found_text> find(const std::string& name) const {
    if (const auto own = environment_.find(name); own != environment_.end())
      return found_text{own->second, "environment " + name};
    if (const auto line = file_.values.find(name); line != file_.values.end())
      return found_text{line->second.text, fmt::format("{} line {}", env_file_, line->second.line)};
    return std::nullopt;
  }

  bool has_any(const std::string& prefix) const {
    const auto own = environment_.lower_bound(prefix);
    const auto line = file_.values.lower_bound(prefix);
    return (own != environment_.end() && own->first.starts_with(prefix)) ||
           (line != file_.values.end() && line->first.starts_with(prefix));
  }

  builder& to_;
  std::map<std::string, std::string> environment_;
  std::string env_file_;
  dotenv file_;
  std::vector<std::pair<std::string, std::string>> sources_;  ///< by the path of the value
};

}  // namespace

std::vector<model_error> read_settings(const object_type& what, void* target, const settings_sources& from) {
  builder made(what, target, true);
  settings_reader reader(made, from);
  reader.read(what, from.prefix);
  auto errors = made.errors().take();
  for (model_error& error : errors) error.source = reader.source_at(error.path);
  return errors;
}

}  // namespace quarq::validation
