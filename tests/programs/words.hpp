// Options of the test programs: words like max_body=1000.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace quarq::test {

/// The words of a command line. A name may occur several times; then the last one counts.
class words {
 public:
  words(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
      const std::string_view word = argv[i];
      const auto equals = word.find('=');
      if (equals == word.npos) throw std::runtime_error(std::string(word) + " is not like name=value");
      values_[std::string(word.substr(0, equals))] = word.substr(equals + 1);
    }
  }

  std::string text(const std::string& name, std::string otherwise = {}) const {
    const auto found = values_.find(name);
    return found == values_.end() ? otherwise : found->second;
  }
  long long number(const std::string& name, long long otherwise) const {
    const auto found = values_.find(name);
    return found == values_.end() ? otherwise : std::stoll(found->second);
  }
  bool has(const std::string& name) const { return values_.contains(name); }

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace quarq::test
