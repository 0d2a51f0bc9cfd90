// Client and worker reach the server over 200 kB/s. What takes longer to send than a request may wait for a server
// that can't be reached (10 s) arrives all the same.
#include "faults/fault_test.hpp"
#include "soak/tcp_proxy.hpp"
#include "support/secrets.hpp"

namespace quarq::test {
namespace {

awaitable<std::string> there_and_back(queue over, std::string text) {
  const auto sent = co_await over.enqueue(throw_it(text));
  auto back = co_await sent.result(4 * soon);
  co_return back;
}

class slow_link : public fault_test {
 protected:
  slow_link() { link_.limit(200'000); }

  std::string slow_url() const {
    return std::string(name_of(GetParam())) + "://:" + secret_password +
           "@127.0.0.1:" + std::to_string(link_.port());
  }
  void expect_to_arrive(std::size_t size) {
    const std::string text(size, 'x');
    EXPECT_TRUE(run_on_loop(there_and_back(queue(slow_url()), text), 5 * soon) == text);
  }

 private:
  soak::tcp_proxy link_{redis().port()};
};

TEST_P(slow_link, large_jobs_and_results_arrive) {
  auto& worker = start_worker({}, {{"QUARQ_TEST_FIXED", "1"}, {"QUARQ_BROKER", slow_url()}});
  expect_to_arrive(2'100'000);
  EXPECT_EQ(worker.log().find("lease lost"), std::string::npos) << worker.log();
}

INSTANTIATE_TEST_SUITE_P(on, slow_link, testing::Values(store_kind::redis, store_kind::arq), kind_name);

}  // namespace
}  // namespace quarq::test
