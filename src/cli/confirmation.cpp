#include "cli/confirmation.hpp"

#include <cstdio>
#include <iostream>
#include <string>

#include <fmt/format.h>
#include <unistd.h>

#include <quarq/errors.hpp>

#include "cli/text.hpp"

namespace quarq::cli {

bool confirmed(std::string_view question, std::string_view command, std::string_view what_it_does) {
  if (isatty(STDIN_FILENO) == 0) {
    throw usage_error(fmt::format("{} asks before it {}, and there is no terminal to ask on: give --yes",
                                  command, what_it_does));
  }
  fmt::print(stderr, "{} [y/N] ", terminal_safe(question));
  std::fflush(stderr);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace quarq::cli
