// expect: this handler can't be called with the parameters of its task
#include <string>

#include <quarq/worker.hpp>

inline constexpr quarq::task<int(std::string url)> count_words{"count_words"};

int right(std::string) {
  return 1;
}
int with_context(quarq::context&, const std::string&) {
  return 1;
}
quarq::awaitable<int> on_the_loop(std::string) {
  co_return 1;
}
int wrong(int, int);

void compiles(quarq::worker& w) {
  w.handle(count_words, right);
  w.handle(count_words, with_context);
  w.handle(count_words, on_the_loop);
}

#ifdef MUST_FAIL
void must_not(quarq::worker& w) {
  w.handle(count_words, wrong);
}
#endif
