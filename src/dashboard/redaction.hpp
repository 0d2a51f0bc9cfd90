// Arguments and results without what nobody at a dashboard needs to see.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace quarq::dashboard {

class redaction {
 public:
  /// `words`: see dashboard_options::redacted.
  redaction(const std::vector<std::string>& words, bool hides_payloads);

  /// A JSON text, as codecs::to_json writes it, with the values of such members replaced by "[redacted]". Numbers
  /// stay as they are written, whatever their size. "" stays "".
  std::string apply(std::string_view json) const;
  /// A line that a handler has logged: it may repeat what is in a payload.
  std::string log_line(std::string text) const;
  /// Whether a member of this name is such a one.
  bool is_secret(std::string_view name) const;

 private:
  std::vector<std::string> words_;  // lower case, without "_" and "-"
  bool hides_payloads_;
};

}  // namespace quarq::dashboard
