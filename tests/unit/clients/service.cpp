#include "clients/service.hpp"

#include <gtest/gtest.h>

#include "model/announcement.hpp"
#include "model/record.hpp"

namespace quarq::test::service_tests {

using clients::in_words;
using clients::service;
using clients::service_of;

broker::live_workers workers_with(std::vector<std::vector<std::string>> tasks_of_workers,
                                  bool others = false) {
  broker::live_workers those;
  for (auto& tasks : tasks_of_workers)
    those.announcements.push_back(model::encode_announcement(std::move(tasks)));
  those.others = others;
  return those;
}

TEST(service, is_given_by_a_worker_that_handles_the_task) {
  EXPECT_EQ(service_of(workers_with({{"add"}, {"mail"}}), "mail"), service::likely);
  EXPECT_EQ(service_of(workers_with({{"add"}, {"mail"}}), "scale"), service::unknown_task);
  EXPECT_EQ(service_of(workers_with({}), "mail"), service::no_worker);
}

TEST(service, is_possible_where_not_all_is_known) {
  EXPECT_EQ(service_of(workers_with({{"add"}}), ""), service::likely) << "a record that can't be read";
  EXPECT_EQ(service_of(workers_with({}, true), "mail"), service::likely) << "others may serve the queue";
  EXPECT_EQ(service_of(workers_with({{"add"}}, true), "mail"), service::likely);
  auto silent = workers_with({{"add"}});
  silent.announcements.emplace_back();
  EXPECT_EQ(service_of(silent, "mail"), service::likely) << "one worker has announced nothing";
}

TEST(service, is_given_by_nobody_while_the_queue_is_paused) {
  auto paused = workers_with({{"mail"}});
  paused.paused = true;
  EXPECT_EQ(service_of(paused, "mail"), service::paused);
  paused.others = true;
  EXPECT_EQ(service_of(paused, "mail"), service::likely) << "others do not know of it";
}

TEST(service, is_described_in_words) {
  EXPECT_EQ(in_words(service::paused, "q", "add"), "queue q is paused");
  EXPECT_EQ(in_words(service::no_worker, "q", "add"), "no live worker serves queue q");
  EXPECT_EQ(in_words(service::unknown_task, "q", "add"), "no live worker of queue q handles task add");
}

TEST(service, reads_the_task_of_a_record) {
  model::record r;
  r.task = "add";
  r.arguments = "\x90";
  EXPECT_EQ(clients::task_of(model::encode(r)), "add");
  EXPECT_EQ(clients::task_of("damaged"), "");
}

}  // namespace quarq::test::service_tests
