// Uses the installed library. Says "consumer: ok" and ends with 0, or says what is wrong.
#include <cstdio>
#include <string>

#include <quarq/awaitable.hpp>
#include <quarq/errors.hpp>
#include <quarq/job_state.hpp>

int main() {
  try {
    throw quarq::duplicate_job("page-2019");
  } catch (const quarq::error& e) {
    if (std::string(e.what()).find("page-2019") == std::string::npos) {
      std::printf("consumer: the error does not name the job: %s\n", e.what());
      return 1;
    }
  }
  static_assert(quarq::may_change(quarq::job_state::queued, quarq::job_state::running));
  std::puts("consumer: ok");
}
