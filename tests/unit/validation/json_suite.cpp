// What JSONTestSuite says of documents, which tests/validation/json_suite.tsv has.
#include <algorithm>
#include <fstream>

#include <gtest/gtest.h>

#include "unit/validation/models_of_tests.hpp"

namespace quarq::validation_tests {
namespace json_suite {

std::string unescaped(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      bytes += text[i];
      continue;
    }
    bytes += static_cast<char>(std::stoi(std::string(text.substr(i + 2, 2)), nullptr, 16));
    i += 3;
  }
  return bytes;
}

/// Whatever it may be: only the syntax counts.
bool is_json(std::string_view text) {
  const auto kinds = errors_in<voucher>(text);
  return std::none_of(kinds.begin(), kinds.end(),
                      [](const model_error& e) { return e.kind == "json_invalid" || e.kind == "too_deep"; });
}

TEST(model_json_suite, documents_are_taken_as_the_suite_says) {
  std::ifstream table(QUARQ_TEST_SOURCE_DIR "/validation/json_suite.tsv");
  std::string line;
  int rows = 0;
  while (std::getline(table, line)) {
    if (line.starts_with('#')) continue;
    const std::size_t name_end = line.find('\t', 2);
    ASSERT_NE(name_end, std::string::npos) << line;
    EXPECT_EQ(is_json(unescaped(line.substr(name_end + 1))), line[0] == 'y') << line.substr(2, name_end - 2);
    ++rows;
  }
  EXPECT_GE(rows, 270);
}

TEST(model_json_suite, a_hundred_thousand_brackets_are_refused) {
  EXPECT_FALSE(is_json(std::string(100'000, '[')));
  std::string objects;
  for (int i = 0; i < 50'000; ++i) objects += R"([{"":)";
  EXPECT_FALSE(is_json(objects));
}

}  // namespace json_suite
}  // namespace quarq::validation_tests
