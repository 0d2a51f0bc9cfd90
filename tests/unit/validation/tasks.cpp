// Arguments and results with a model: checked where they are written, and where they are read.
#include <gtest/gtest.h>

#include <quarq/codec.hpp>
#include <quarq/task.hpp>

#include "unit/validation/models_of_tests.hpp"

namespace quarq::validation_tests {
namespace tasks {

inline constexpr task<void(new_user user, int times, std::vector<voucher> vouchers)> greet{
    "greet", "user", "times", "vouchers"};

new_user good_user() {
  new_user user;
  user.name = "ann";
  user.password = secret<std::string>("hunter2-of-ann");
  return user;
}

TEST(model_tasks, good_arguments_are_read_back) {
  const auto made = greet(good_user(), 2, std::vector<voucher>{{"1234"}});
  const auto [user, times, vouchers] = greet.decode(made.arguments());
  EXPECT_EQ(user.name, "ann");
  EXPECT_EQ(user.password.expose(), "hunter2-of-ann");
  EXPECT_EQ(times, 2);
  EXPECT_EQ(vouchers.at(0).number, "1234");
}

TEST(model_tasks, bad_arguments_make_no_call_and_all_errors_are_told) {
  auto user = good_user();
  user.name.clear();
  user.age = -1;
  try {
    greet(user, 1, std::vector<voucher>{{"1234"}, {"x"}});
    FAIL() << "nothing was thrown";
  } catch (const usage_error& e) {
    EXPECT_STREQ(
        e.what(),
        "greet: 3 errors: user.name: String should have at least 1 character; user.age: Input should be "
        "greater than or equal to 0; vouchers[1].number: String should match pattern '^[0-9]{4}$'");
    EXPECT_EQ(dynamic_cast<const invalid_value&>(e).errors().size(), 3u);
  }
}

TEST(model_tasks, an_old_record_is_refused_with_all_that_is_wrong_with_it) {
  std::string record;
  encoder out(record);
  out.array(3);
  out.map(2);
  out.text("name");
  out.text("");
  out.text("age");
  out.integer(200);
  out.integer(1);
  out.array(0);
  try {
    greet.decode(record);
    FAIL() << "nothing was thrown";
  } catch (const decode_error& e) {
    EXPECT_STREQ(e.what(),
                 "greet: argument 1 (user): 3 errors: name: String should have at least 1 character; age: "
                 "Input should "
                 "be less than or equal to 150; password: Field required");
  }
}

TEST(model_tasks, a_struct_travels_under_the_names_of_its_model) {
  const auto made = parse_json<order>(
      R"({"orderId": 7, "items": [{"sku": "A-1", "quantity": 1, "price": 2}],
          "paid_by": {"number": "1234", "method": "voucher"}})");
  const auto data = to_msgpack(made);
  const auto again = from_msgpack<order>(data, "order");
  EXPECT_EQ(write_json(again), write_json(made));
  EXPECT_NE(data.find("orderId"), std::string::npos);
  EXPECT_NE(data.find("method"), std::string::npos);
}

}  // namespace tasks
}  // namespace quarq::validation_tests
