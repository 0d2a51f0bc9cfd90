// A route's pattern, checked against its handler when it is compiled.
#pragma once

#include <concepts>
#include <cstddef>
#include <string_view>

#include <quarq/detail/http_handler.hpp>

namespace quarq::http::detail {

// What stands in the compiler's message: none of these is constexpr, so that calling one there is an error.
void quarq_a_pattern_begins_with_a_slash();
void quarq_a_parameter_in_a_pattern_is_a_whole_segment_such_as_slash_name_in_braces();
void quarq_the_pattern_and_the_handler_do_not_have_the_same_number_of_path_parameters();

/// How many `{name}` there are. Each is a whole segment: "/users/{id}/mails/{number}".
constexpr std::size_t count_parameters(std::string_view pattern) {
  if (!pattern.starts_with('/')) quarq_a_pattern_begins_with_a_slash();
  std::size_t count = 0;
  while (!pattern.empty()) {
    pattern.remove_prefix(1);
    const auto segment = pattern.substr(0, pattern.find('/'));
    pattern.remove_prefix(segment.size());
    if (segment.find_first_of("{}") == segment.npos) continue;
    const bool is_whole = segment.size() > 2 && segment.front() == '{' && segment.back() == '}' &&
                          segment.substr(1, segment.size() - 2).find_first_of("{}") == segment.npos;
    if (!is_whole) quarq_a_parameter_in_a_pattern_is_a_whole_segment_such_as_slash_name_in_braces();
    ++count;
  }
  return count;
}

/// What routes take as their pattern: a literal, as std::format_string takes one.
template <class F>
class pattern {
 public:
  template <std::convertible_to<std::string_view> Literal>
  // NOLINTNEXTLINE(google-explicit-constructor): so that a literal can be given
  consteval pattern(const Literal& text) : text_(text) {
    if (count_parameters(text_) != arguments_of<F>::path_parameters) {
      quarq_the_pattern_and_the_handler_do_not_have_the_same_number_of_path_parameters();
    }
  }
  constexpr std::string_view text() const noexcept { return text_; }

 private:
  std::string_view text_;
};

}  // namespace quarq::http::detail
