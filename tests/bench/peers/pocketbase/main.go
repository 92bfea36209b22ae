// PocketBase as a task backend with what Docket has at this place: one collection of tasks, of which everybody reaches their own,
// with indexes for the orders and filters that are measured. Everything else is as it comes.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
	"github.com/spf13/cobra"
)

func main() {
	app := pocketbase.NewWithConfig(pocketbase.Config{
		DefaultDataDir:  os.Getenv("DATA_DIR"),
		HideStartBanner: true,
		DBConnect:       connect,
	})
	app.RootCmd.AddCommand(&cobra.Command{
		Use:  "fill USERS FILE",
		Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error { return fill(app, args[0], args[1]) },
	})
	if err := app.Start(); err != nil {
		log.Fatal(err)
	}
}

// NORMAL is PocketBase's own way, in which a power cut can take the last commits; FULL is as durable as Docket.
func connect(path string) (*dbx.DB, error) {
	source := path + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=journal_size_limit(200000000)" +
		"&_pragma=foreign_keys(ON)&_pragma=temp_store(MEMORY)&_pragma=cache_size(-32000)" +
		"&_pragma=synchronous(" + os.Getenv("SYNCHRONOUS") + ")"
	return dbx.Open("sqlite", source)
}

// Makes the collection and the users 1 to USERS, inserts the tasks of FILE, a JSON object a line, and prints a token of each user.
func fill(app core.App, count string, path string) error {
	users, err := app.FindCollectionByNameOrId("users")
	if err != nil {
		return err
	}
	tasks, err := makeTasks(app, users)
	if err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	var number int
	if _, err := fmt.Sscan(count, &number); err != nil {
		return err
	}
	tokens := map[string]string{}
	err = app.RunInTransaction(func(tx core.App) error {
		for n := 1; n <= number; n++ {
			user := core.NewRecord(users)
			user.Id = fmt.Sprintf("%015d", n)
			user.SetEmail(fmt.Sprintf("%d@example.com", n))
			user.SetPassword("correct horse battery")
			if err := tx.Save(user); err != nil {
				return err
			}
			if tokens[fmt.Sprint(n)], err = user.NewAuthToken(); err != nil {
				return err
			}
		}
		lines := bufio.NewScanner(file)
		for lines.Scan() {
			values := map[string]any{}
			if err := json.Unmarshal(lines.Bytes(), &values); err != nil {
				return err
			}
			task := core.NewRecord(tasks)
			task.Load(values)
			if err := tx.SaveNoValidate(task); err != nil {
				return err
			}
		}
		return lines.Err()
	})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(tokens)
}

func makeTasks(app core.App, users *core.Collection) (*core.Collection, error) {
	tasks := core.NewBaseCollection("tasks")
	own := types.Pointer("user = @request.auth.id")
	tasks.ListRule, tasks.ViewRule, tasks.CreateRule, tasks.UpdateRule, tasks.DeleteRule = own, own, own, own, own
	tasks.Fields.Add(
		&core.RelationField{Name: "user", CollectionId: users.Id, Required: true, MaxSelect: 1, CascadeDelete: true},
		&core.TextField{Name: "title", Required: true, Max: 200},
		&core.TextField{Name: "description", Max: 10000},
		&core.DateField{Name: "completed_at"},
		&core.SelectField{Name: "priority", Values: []string{"none", "low", "medium", "high"}, MaxSelect: 1},
		&core.JSONField{Name: "tags"},
		&core.TextField{Name: "due_date", Pattern: `^\d{4}-\d\d-\d\d$`},
		&core.AutodateField{Name: "created", OnCreate: true},
		&core.AutodateField{Name: "updated", OnCreate: true, OnUpdate: true},
	)
	tasks.AddIndex("tasks_by_created", false, "user, created desc, id desc", "")
	tasks.AddIndex("tasks_by_due_date", false, "user, due_date, id", "")
	return tasks, app.Save(tasks)
}
