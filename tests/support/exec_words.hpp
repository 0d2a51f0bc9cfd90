// What exec and its like take: words of a command line, and an environment.
#pragma once

#include <string>
#include <vector>

#include <unistd.h>

namespace quarq::test {

/// The test's own environment, changed: "NAME=value" sets one, "NAME" takes one away.
inline std::vector<std::string> environment_with(const std::vector<std::string>& changes) {
  std::vector<std::string> all;
  for (char** e = environ; *e; ++e) all.emplace_back(*e);
  for (const auto& change : changes) {
    const std::string prefix = change.substr(0, change.find('=')) + '=';
    std::erase_if(all, [&](const std::string& e) { return e.starts_with(prefix); });
    if (change.size() >= prefix.size()) all.push_back(change);
  }
  return all;
}

/// For as long as `words` are there.
inline std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (auto& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace quarq::test
