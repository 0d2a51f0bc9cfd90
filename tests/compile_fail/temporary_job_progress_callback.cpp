// expect: would destroy this temporary twice inside co_await: give it a name first
// only: g++ before 12.3
#include <string>

#include <quarq/job.hpp>

quarq::awaitable<void> compiles(std::string text, quarq::job<void> job) {
  const auto show = [text](const quarq::job_progress&) {};
  co_await job.result(show);
  co_await job.result([](const quarq::job_progress&) {});
}

#ifdef MUST_FAIL
quarq::awaitable<void> must_not(std::string text, quarq::job<void> job) {
  co_await job.result([text](const quarq::job_progress&) {});
}
#endif
