// expect: an argument does not fit the signature of its task
// expect: argument<quarq::task<int(std::__cxx11::basic_string<char>)>, 1, int, std::__cxx11::basic_string<char> >
// only: g++ before 12.3
#include <string>

#include <quarq/task.hpp>

inline constexpr quarq::task<int(std::string url)> count_words{"count_words", "url"};

void compiles() {
  auto from_literal = count_words("http://127.0.0.1/");
  auto from_string = count_words(std::string("http://127.0.0.1/"));
}

#ifdef MUST_FAIL
void must_not() {
  auto wrong = count_words(42);
}
#endif
