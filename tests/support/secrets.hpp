// What tests take for passwords, tokens and secret members: all of them hold one word, so that whatever is printed can be
// searched for it. tools/check_secrets looks through what the whole suite has printed.
#pragma once

#include <string>
#include <string_view>

namespace quarq::test {

inline constexpr std::string_view secret_word = "hunter2";
/// Of servers on which many tests keep their jobs.
inline constexpr char secret_password[] = "hunter2";

/// The first line that shows a test's secret, as it is or in base 64; empty: none does.
std::string line_with_secret(std::string_view text);

/// Fails the current test if a secret is in what `who` has printed.
void expect_no_secret(const std::string& who, std::string_view printed);

}  // namespace quarq::test
