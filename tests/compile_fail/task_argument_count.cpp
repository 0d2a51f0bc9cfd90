// expect: wrong number of arguments for this task
#include <string>

#include <quarq/task.hpp>

inline constexpr quarq::task<int(std::string url)> count_words{"count_words", "url"};

void compiles() {
  auto right = count_words("a");
}

#ifdef MUST_FAIL
void must_not() {
  auto wrong = count_words("a", "b");
}
#endif
