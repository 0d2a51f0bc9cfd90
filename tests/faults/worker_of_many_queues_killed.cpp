// A worker that serves very many queues dies while it runs jobs of many of them: all are found.
#include "clients/new_job.hpp"
#include "faults/fault_test.hpp"

namespace quarq::test {
namespace {

strings two_hundred_queues() {
  strings names;
  for (int i = 0; i < 200; ++i) names.push_back("queue" + std::to_string(i));
  return names;
}

strings flags_of_many_queues() {
  auto flags = lease(2);
  flags.insert(flags.end(), {"--concurrency", "100"});
  for (const auto& name : two_hundred_queues()) flags.insert(flags.end(), {"--queue", name});
  return flags;
}

// In every fourth queue, as a job that waits looks for its gate all the time.
awaitable<strings> enqueue_some(broker::broker& at, std::string gate) {
  strings ids;
  std::vector<awaitable<std::vector<broker::accepted>>> all;
  const auto names = two_hundred_queues();
  for (std::size_t i = 0; i < names.size(); i += 4) {
    std::vector<broker::new_job> jobs(1, clients::to_job(detail::call_access::take(wait_for_gate(gate))));
    ids.push_back(jobs.front().id);
    all.push_back(at.enqueue(names[i], std::move(jobs)));
  }
  co_await gather(std::move(all));
  co_return ids;
}

class worker_of_many_queues_killed : public fault_test {};

TEST_P(worker_of_many_queues_killed, its_jobs_run_again_wherever_they_were) {
  auto& first = start_worker(flags_of_many_queues());
  const auto ids = ask<strings>([path = gate()](broker::broker& at) { return enqueue_some(at, path); });
  for (const auto& id : ids) EXPECT_EQ(wait_for_start(id).pid, first.pid());
  auto& second = start_worker(flags_of_many_queues());
  kill(first);
  for (const auto& id : ids) EXPECT_EQ(wait_for_start(id, 2).pid, second.pid());
  open_gate();
  wait_for_ends(ids.size());
  for (const auto& id : ids) EXPECT_EQ(past().runs_of(id).size(), 2u);
}

ON_EACH_BROKER(worker_of_many_queues_killed);

}  // namespace
}  // namespace quarq::test
