#include "support/secrets.hpp"

#include <gtest/gtest.h>

namespace quarq::test {

std::string line_with_secret(std::string_view text) {
  // In base 64 it depends on what precedes it; these are the parts that do not depend on what follows.
  for (const std::string_view form : {secret_word, std::string_view("aHVudGVyM"),
                                      std::string_view("h1bnRlcj"), std::string_view("odW50ZXIy")}) {
    const auto at = text.find(form);
    if (at == text.npos) continue;
    const auto begin = text.rfind('\n', at) + 1;  // 0 if there is none
    return std::string(text.substr(begin, text.find('\n', at) - begin));
  }
  return {};
}

void expect_no_secret(const std::string& who, std::string_view printed) {
  const auto line = line_with_secret(printed);
  if (!line.empty()) ADD_FAILURE() << who << " shows a secret: " << line;
}

}  // namespace quarq::test
