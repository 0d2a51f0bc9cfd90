// Enqueueing through a connection of the caller's own.
#include <filesystem>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <quarq/errors.hpp>
#include <quarq/run.hpp>
#include <quarq/sqlite.hpp>

#include "support/temp_dir.hpp"

namespace quarq::test {
namespace {

constexpr task<void(std::string item)> send_email{"send_email", "item"};

class sqlite_enqueue : public ::testing::Test {
 protected:
  sqlite_enqueue() : mails_("sqlite:" + file_, "mails") {
    sqlite3* opened = nullptr;
    EXPECT_EQ(sqlite3_open(file_.c_str(), &opened), SQLITE_OK);
    db_.reset(opened);
  }

  void execute(const char* sql) {
    ASSERT_EQ(sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(db_.get());
  }

  bool exists(const job<void>& j) {
    const auto found = mails_.find<void>(j.id());  // it has not seen the job accepted
    try {
      run(found.state());
      return true;
    } catch (const job_not_found&) {
      return false;
    }
  }

  struct close {
    void operator()(sqlite3* db) const { sqlite3_close(db); }
  };
  temp_dir folder_;
  const std::string file_ = folder_ / "shop.db";
  std::unique_ptr<sqlite3, close> db_;
  queue mails_;
};

TEST_F(sqlite_enqueue, the_job_is_there_when_the_transaction_commits) {
  execute("BEGIN IMMEDIATE");
  const auto lamp = sqlite::enqueue(db_.get(), mails_, send_email("a lamp"));
  execute("COMMIT");
  EXPECT_TRUE(exists(lamp));
}

TEST_F(sqlite_enqueue, the_job_is_gone_with_a_transaction_that_is_rolled_back) {
  execute("BEGIN IMMEDIATE");
  const auto yacht = sqlite::enqueue(db_.get(), mails_, send_email("a yacht"));
  execute("ROLLBACK");
  EXPECT_FALSE(exists(yacht));
}

TEST_F(sqlite_enqueue, an_id_that_is_taken_is_refused) {
  sqlite::enqueue(db_.get(), mails_, send_email("a lamp").id("lamp"));
  EXPECT_THROW(sqlite::enqueue(db_.get(), mails_, send_email("a lamp").id("lamp")), duplicate_job);
}

TEST_F(sqlite_enqueue, a_connection_to_another_database_is_refused) {
  const auto refusal = [&](sqlite3* db, const queue& where) {
    try {
      sqlite::enqueue(db, where, send_email("a lamp"));
      return std::string("accepted");
    } catch (const usage_error& e) {
      return std::string(e.what());
    }
  };
  EXPECT_NE(refusal(nullptr, mails_).find("null handle"), std::string::npos);

  sqlite3* opened = nullptr;
  sqlite3_open(":memory:", &opened);
  const std::unique_ptr<sqlite3, close> memory(opened);
  EXPECT_NE(refusal(opened, mails_).find(":memory:"), std::string::npos);
  EXPECT_NE(refusal(opened, queue("sqlite::memory:")).find("no worker"), std::string::npos);

  sqlite3_open((folder_ / "other.db").c_str(), &opened);
  const std::unique_ptr<sqlite3, close> other(opened);
  const auto text = refusal(opened, mails_);
  EXPECT_NE(text.find(folder_ / "other.db"), std::string::npos) << text;
  EXPECT_NE(text.find(file_), std::string::npos) << text;
}

TEST_F(sqlite_enqueue, a_connection_that_was_opened_by_another_name_is_taken) {
  std::filesystem::create_symlink(file_, folder_ / "link.db");
  sqlite3* opened = nullptr;
  sqlite3_open((folder_ / "link.db").c_str(), &opened);
  const std::unique_ptr<sqlite3, close> by_link(opened);
  EXPECT_TRUE(exists(sqlite::enqueue(opened, mails_, send_email("a lamp"))));
}

TEST_F(sqlite_enqueue, a_queue_elsewhere_is_refused_without_showing_its_password) {
  const queue elsewhere("redis://:secret@127.0.0.1:6379/0");
  try {
    sqlite::enqueue(db_.get(), elsewhere, send_email("a lamp"));
    FAIL() << "it was not refused";
  } catch (const usage_error& e) {
    EXPECT_EQ(std::string(e.what()).find("secret"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace quarq::test
