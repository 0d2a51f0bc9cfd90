// expect: this handler's result does not convert to the result of its task
#include <string>

#include <quarq/worker.hpp>

inline constexpr quarq::task<int(std::string url)> count_words{"count_words"};

long right(std::string) {
  return 1;
}
std::string wrong(std::string text) {
  return text;
}

void compiles(quarq::worker& w) {
  w.handle(count_words, right);
}

#ifdef MUST_FAIL
void must_not(quarq::worker& w) {
  w.handle(count_words, wrong);
}
#endif
