// That nothing shows a password.
#pragma once

#include <string>

#include <gtest/gtest.h>

namespace quarq::test {

/// The password of servers on which many tests keep their jobs. Whatever collects what programs print looks
/// for it, and `./dev test` looks for it in what the tests print.
inline constexpr char secret_password[] = "s3cret-of-tests";

inline void expect_no_secret(const std::string& text, const std::string& of) {
  if (text.find(secret_password) != text.npos) ADD_FAILURE() << of << " shows a password:\n" << text;
}

}  // namespace quarq::test
