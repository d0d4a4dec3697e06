package functions

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"helios/shared/cloud"
)

// template contains the tested part of template.yaml. Intrinsic functions such as !Sub are their text.
type template struct {
	Resources map[string]struct {
		Type     string `yaml:"Type"`
		Metadata struct {
			BuildMethod   string `yaml:"BuildMethod"`
			Dockerfile    string `yaml:"Dockerfile"`
			DockerContext string `yaml:"DockerContext"`
		} `yaml:"Metadata"`
		// Properties contains the properties of all types.
		Properties struct {
			CodeURI                 string               `yaml:"CodeUri"`
			DefinitionURI           string               `yaml:"DefinitionUri"`
			DefinitionSubstitutions map[string]yaml.Node `yaml:"DefinitionSubstitutions"`
			Policies                []struct {
				PolicyDocument struct {
					Statement []yaml.Node `yaml:"Statement"`
				} `yaml:"PolicyDocument"`
			} `yaml:"Policies"`
		} `yaml:"Properties"`
	} `yaml:"Resources"`
}

func readTemplate(t *testing.T) (string, template) {
	t.Helper()
	data, err := os.ReadFile("../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var tmpl template
	if err := yaml.Unmarshal(data, &tmpl); err != nil {
		t.Fatal(err)
	}
	return string(data), tmpl
}

// The template refers to existing Makefile targets, files and resources.
func TestTemplateReferences(t *testing.T) {
	_, tmpl := readTemplate(t)
	built := 0
	for name, r := range tmpl.Resources {
		switch {
		case r.Metadata.BuildMethod == "makefile":
			// The target build-XFunction builds functions/x.
			out, err := exec.Command("make", "-n", "-C", filepath.Join("..", r.Properties.CodeURI), "build-"+name,
				"ARTIFACTS_DIR=/nowhere").CombinedOutput()
			folder := "functions/" + strings.ToLower(strings.TrimSuffix(name, "Function"))
			if err != nil || !strings.Contains(string(out), "-o /nowhere/bootstrap ./"+folder) ||
				!strings.Contains(string(out), "GOARCH=arm64") {
				t.Errorf("make build-%s: %v\n%s", name, err, out)
			}
			if _, err := os.Stat("../" + folder + "/main.go"); err != nil {
				t.Error(err)
			}
			built++
		case r.Metadata.Dockerfile != "":
			data, err := os.ReadFile(filepath.Join("..", r.Metadata.DockerContext, r.Metadata.Dockerfile))
			if err != nil || !strings.Contains(string(data), "./functions/chunk") {
				t.Errorf("the image of %s does not build the chunk function: %v", name, err)
			}
			built++
		case r.Type == "AWS::Serverless::StateMachine":
			data, err := os.ReadFile(filepath.Join("..", r.Properties.DefinitionURI))
			if err != nil {
				t.Fatal(err)
			}
			used := map[string]bool{}
			for _, m := range regexp.MustCompile(`\$\{(\w+)\}`).FindAllStringSubmatch(string(data), -1) {
				used[m[1]] = true
			}
			given := slices.Sorted(maps.Keys(r.Properties.DefinitionSubstitutions))
			if diff := cmp.Diff(slices.Sorted(maps.Keys(used)), given); diff != "" {
				t.Errorf("substitutions:\n%s", diff)
			}
			for _, name := range given {
				if _, ok := tmpl.Resources[name]; !ok {
					t.Errorf("the substitution %s is not a resource", name)
				}
			}
			built++
		}
	}
	if built != 4 {
		t.Errorf("%d resources are built, want 4", built)
	}
}

// The template sets the variables that the functions read.
func TestTemplateSetsTheVariables(t *testing.T) {
	text, _ := readTemplate(t)
	set := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\s+(HELIOS_\w+):`).FindAllStringSubmatch(text, -1) {
		set[m[1]] = true
	}
	want := []string{
		cloud.ArchitectureVariable, cloud.BucketVariable, cloud.MaxConcurrencyVariable, "HELIOS_NO_SANDBOX",
		cloud.StateMachineVariable, cloud.WebhookSecretVariable,
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(set))); diff != "" {
		t.Error(diff)
	}
}

// permission maps operations of the SDK to IAM actions.
var permission = map[string]string{
	"AbortMultipartUpload":    "s3:AbortMultipartUpload",
	"CompleteMultipartUpload": "s3:PutObject",
	"CopyObject":              "s3:PutObject",
	"CreateMultipartUpload":   "s3:PutObject",
	"DeleteObject":            "s3:DeleteObject",
	"GetObject":               "s3:GetObject",
	"HeadObject":              "s3:GetObject",
	"ListMultipartUploads":    "s3:ListBucketMultipartUploads",
	"ListObjectsV2":           "s3:ListBucket",
	"PutObject":               "s3:PutObject",
	"StartExecution":          "states:StartExecution",
	"UploadPart":              "s3:PutObject",
}

// Each role allows exactly the actions that its function calls.
func TestRolesMatchCalls(t *testing.T) {
	_, tmpl := readTemplate(t)
	s3, states := calls(t, "../shared/store", "../shared/cloud", "../shared/browser"), machineActions(t)
	s3["logs:CreateLogStream"], s3["logs:PutLogEvents"] = true, true
	chunk := maps.Clone(s3)
	delete(chunk, "states:StartExecution")
	for role, want := range map[string]map[string]bool{
		"ChunkRole":   chunk,
		"MergeRole":   chunk,
		"PlanRole":    without(without(s3, "s3:AbortMultipartUpload"), "s3:ListBucketMultipartUploads"),
		"MachineRole": states,
	} {
		got := map[string]bool{}
		for _, policy := range tmpl.Resources[role].Properties.Policies {
			for _, statement := range policy.PolicyDocument.Statement {
				actions(&statement, got)
			}
		}
		for action := range got {
			// Log delivery of the state machine.
			if role == "MachineRole" && strings.HasPrefix(action, "logs:") {
				delete(got, action)
			}
		}
		if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
			t.Errorf("%s (- called, + allowed):\n%s", role, diff)
		}
	}
}

func without(set map[string]bool, name string) map[string]bool {
	set = maps.Clone(set)
	delete(set, name)
	return set
}

// calls returns the IAM actions that the SDK calls in some folders need.
func calls(t *testing.T, folders ...string) map[string]bool {
	t.Helper()
	need := map[string]bool{}
	call := regexp.MustCompile(
		`(?:[cC]lient(?:\(\))?|sfn\.NewFromConfig\(\w+\))\.([A-Z]\w+)\([\w.]+, |s3\.New(ListObjectsV2)Paginator`)
	for _, folder := range folders {
		files, err := filepath.Glob(folder + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", folder, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, m := range call.FindAllStringSubmatch(string(data), -1) {
				op := m[1] + m[2]
				action, ok := permission[op]
				if !ok {
					t.Errorf("%s calls %s; add its IAM action to the map permission", file, op)
				}
				need[action] = true
			}
		}
	}
	return need
}

// machineActions returns the IAM actions that the state machine needs.
func machineActions(t *testing.T) map[string]bool {
	t.Helper()
	data, err := os.ReadFile("../statemachine/render.asl.json")
	if err != nil {
		t.Fatal(err)
	}
	need := map[string]bool{}
	resource := regexp.MustCompile(`"Resource": "arn:aws:states:::([\w:]+)"`)
	actions := map[string]string{
		"lambda:invoke": "lambda:InvokeFunction", "events:putEvents": "events:PutEvents", "s3:getObject": "s3:GetObject",
	}
	for _, m := range resource.FindAllStringSubmatch(string(data), -1) {
		action, ok := actions[m[1]]
		if !ok {
			t.Errorf("%s needs an IAM action that this test does not know", m[1])
		}
		need[action] = true
	}
	if strings.Contains(string(data), `"Mode": "DISTRIBUTED"`) {
		for _, action := range []string{"StartExecution", "DescribeExecution", "StopExecution", "RedriveExecution"} {
			need["states:"+action] = true
		}
	}
	return need
}

// actions collects the IAM actions that a statement allows.
func actions(node *yaml.Node, into map[string]bool) {
	if node.Kind == yaml.MappingNode {
		for i := 0; i < len(node.Content); i += 2 {
			if key, value := node.Content[i].Value, node.Content[i+1]; key == "Effect" && value.Value == "Deny" {
				return
			} else if key == "Action" {
				for _, n := range append(value.Content, value) {
					if n.Kind == yaml.ScalarNode {
						into[n.Value] = true
					}
				}
			}
		}
	}
	for _, child := range node.Content {
		actions(child, into)
	}
}

// stateMachine returns the definition of the state machine.
func stateMachine(t *testing.T) (machine any) {
	t.Helper()
	data, err := os.ReadFile("../statemachine/render.asl.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &machine); err != nil {
		t.Fatal(err)
	}
	return machine
}

// The state machine retries transient errors of the functions and errors of Lambda, and no others.
func TestRetries(t *testing.T) {
	tasks := 0
	var walk func(name string, v any)
	walk = func(name string, v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(name, e)
			}
		case map[string]any:
			if v["Type"] == "Task" {
				tasks++
				if _, ok := v["TimeoutSeconds"]; !ok {
					t.Errorf("%s has no TimeoutSeconds", name)
				}
				if v["Resource"] == "arn:aws:states:::lambda:invoke" && len(retried(v)) == 0 {
					t.Errorf("%s is not retried", name)
				}
			}
			for _, e := range retried(v) {
				switch e {
				case cloud.TransientError, "Runtime.ExitError", "Lambda.TooManyRequestsException", "Lambda.ServiceException",
					"Lambda.AWSLambdaException", "Lambda.SdkClientException", "Lambda.ClientExecutionTimeoutException":
				default:
					t.Errorf("%s retries %s", name, e)
				}
			}
			for key, e := range v {
				walk(key, e)
			}
		}
	}
	walk("machine", stateMachine(t))
	if tasks != 12 {
		t.Errorf("the state machine has %d tasks, want 12", tasks)
	}
}

func retried(state map[string]any) (names []string) {
	list, _ := state["Retry"].([]any)
	for _, r := range list {
		for _, name := range r.(map[string]any)["ErrorEquals"].([]any) {
			names = append(names, name.(string))
		}
	}
	return names
}
