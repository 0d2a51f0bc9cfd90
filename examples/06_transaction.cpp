// An order and its e-mail job in one SQLite transaction: either both are there, or neither.
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include <sqlite3.h>

#include <quarq/quarq.hpp>
#include <quarq/sqlite.hpp>

constexpr quarq::task<void(std::string item)> send_email{"send_email", "item"};

void do_send_email(std::string item) {
  std::cout << "e-mail: thank you for ordering " << item << std::endl;
}

// The shop's own database, and the queue in the same file.
struct shop {
  explicit shop(const std::string& file) : queue("sqlite:" + file) {
    if (sqlite3_open(file.c_str(), &db) != SQLITE_OK) throw std::runtime_error("can't open " + file);
    sqlite3_busy_timeout(db, 5'000);  // workers write to this file too
    run("CREATE TABLE orders (item TEXT)");
  }
  ~shop() { sqlite3_close(db); }

  void run(const char* sql) {
    if (sqlite3_exec(db, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
      throw std::runtime_error(sqlite3_errmsg(db));
  }

  sqlite3* db = nullptr;
  quarq::queue queue;
};

void order(shop& s, std::string item, bool paid) {
  s.run("BEGIN IMMEDIATE");
  s.run(("INSERT INTO orders VALUES ('" + item + "')").c_str());
  quarq::sqlite::enqueue(s.db, s.queue,
                         send_email(item));  // not awaited: one more INSERT in this transaction
  s.run(paid ? "COMMIT" : "ROLLBACK");
  std::cout << item << ": " << (paid ? "committed" : "rolled back") << std::endl;
}

int main() {
  const auto folder = std::filesystem::temp_directory_path() / "quarq-example-XXXXXX";
  std::string name = folder.string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("can't make a folder for the database");
  const std::string file = name + "/shop.db";
  {
    shop s(file);
    order(s, "a lamp", true);
    order(s, "a yacht", false);
    order(s, "a chair", true);
  }
  // burst: run what is queued, then end. One at a time, in order.
  quarq::worker worker({.broker = "sqlite:" + file, .concurrency = 1, .burst = true});
  worker.handle(send_email, do_send_email);
  quarq::run(worker.run());
  std::cout << worker.jobs_done() << " e-mails sent" << std::endl;
  std::filesystem::remove_all(name);
}

// It prints:
//   a lamp: committed
//   a yacht: rolled back
//   a chair: committed
//   e-mail: thank you for ordering a lamp
//   e-mail: thank you for ordering a chair
//   2 e-mails sent
