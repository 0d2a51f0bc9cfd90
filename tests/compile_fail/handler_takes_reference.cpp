// expect: this handler can't be called with the parameters of its task
#include <string>

#include <quarq/worker.hpp>

inline constexpr quarq::task<int(std::string url)> count_words{"count_words"};

int right(const std::string&) {
  return 1;
}
const int& returns_a_reference(std::string&&) {
  static const int one = 1;
  return one;
}
int changes_its_argument(std::string& url) {
  url += "/";
  return 1;
}

void compiles(quarq::worker& w) {
  w.handle(count_words, right);
  w.handle(count_words, returns_a_reference);
}

#ifdef MUST_FAIL
void must_not(quarq::worker& w) {
  w.handle(count_words, changes_its_argument);
}
#endif
