package functions

import (
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// resource is a resource of template.yaml. Intrinsic functions such as !Sub are their text.
type resource struct {
	Type       string         `yaml:"Type"`
	Properties map[string]any `yaml:"Properties"`
}

func resources(t *testing.T) map[string]resource {
	t.Helper()
	text, _ := readTemplate(t)
	var template struct {
		Resources map[string]resource `yaml:"Resources"`
	}
	if err := yaml.Unmarshal([]byte(text), &template); err != nil {
		t.Fatal(err)
	}
	return template.Resources
}

// lookup returns the value at a path, or nil.
func lookup(v any, path ...string) any {
	for _, key := range path {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

// stringList converts a string or a list of strings to a list.
func stringList(v any) []string {
	if s, ok := v.(string); ok {
		return []string{s}
	}
	var all []string
	many, _ := v.([]any)
	for _, e := range many {
		s, _ := e.(string)
		all = append(all, s)
	}
	return all
}

// The bucket is private and encrypted, and expires only jobs/.
func TestBucketIsPrivate(t *testing.T) {
	bucket := resources(t)["Bucket"].Properties
	for _, name := range []string{"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"} {
		if lookup(bucket, "PublicAccessBlockConfiguration", name) != true {
			t.Errorf("%s is not set", name)
		}
	}
	if lookup(bucket, "BucketEncryption", "ServerSideEncryptionConfiguration") == nil {
		t.Error("the bucket is not encrypted")
	}
	rules, _ := lookup(bucket, "LifecycleConfiguration", "Rules").([]any)
	expires := 0
	for _, rule := range rules {
		r := rule.(map[string]any)
		for name := range r {
			if strings.Contains(name, "Expiration") || strings.Contains(name, "Transition") {
				expires++
				if r["Prefix"] != "jobs/" {
					t.Errorf("%s expires %v", r["Id"], r["Prefix"])
				}
			}
		}
	}
	if expires != 1 {
		t.Errorf("%d rules expire objects", expires)
	}
}

// The chunk function opens pages: it can write only below jobs/. No role allows all actions or all resources.
func TestRolesAreRestricted(t *testing.T) {
	roles := 0
	for name, r := range resources(t) {
		if r.Type != "AWS::IAM::Role" {
			continue
		}
		roles++
		policies, _ := r.Properties["Policies"].([]any)
		for _, policy := range policies {
			statements, _ := lookup(policy, "PolicyDocument", "Statement").([]any)
			for _, s := range statements {
				for _, action := range stringList(lookup(s, "Action")) {
					if strings.Contains(action, "*") {
						t.Errorf("%s allows %s", name, action)
					}
					for _, to := range stringList(lookup(s, "Resource")) {
						writes := strings.HasPrefix(action, "s3:Put") || strings.HasPrefix(action, "s3:Delete") ||
							strings.HasPrefix(action, "s3:Abort")
						if name == "ChunkRole" && writes && !strings.HasPrefix(to, "${Bucket.Arn}/jobs/") {
							t.Errorf("%s allows %s on %s", name, action, to)
						}
						if to == "*" && !strings.HasPrefix(action, "logs:") {
							t.Errorf("%s allows %s on everything", name, action)
						}
					}
				}
			}
		}
	}
	if roles != 4 {
		t.Errorf("the template has %d roles, want 4", roles)
	}
}

// There are alarms for failed renders, throttles and functions near their timeout. Logs expire.
func TestAlarmsAndLogs(t *testing.T) {
	var metrics []string
	logs := 0
	for name, r := range resources(t) {
		switch r.Type {
		case "AWS::CloudWatch::Alarm":
			metric, _ := r.Properties["MetricName"].(string)
			metrics = append(metrics, metric)
			if limit, _ := r.Properties["Threshold"].(int); metric == "Duration" && (limit < 12*60_000 || limit >= 15*60_000) {
				t.Errorf("%s has the threshold %d ms", name, limit)
			}
		case "AWS::Logs::LogGroup":
			logs++
			if r.Properties["RetentionInDays"] != "Retention" {
				t.Errorf("%s is kept for %v days", name, r.Properties["RetentionInDays"])
			}
		case "AWS::Serverless::Function":
			if r.Properties["LoggingConfig"] == nil || r.Properties["Timeout"] == nil || r.Properties["Role"] == nil {
				t.Errorf("%s lacks a log group, a timeout or a role", name)
			}
		}
	}
	slices.Sort(metrics)
	if want := []string{"Duration", "Duration", "ExecutionsFailed", "Throttles"}; !slices.Equal(metrics, want) {
		t.Errorf("the alarms use the metrics %q, want %q", metrics, want)
	}
	if logs != 4 {
		t.Errorf("the template has %d log groups, want 4", logs)
	}
}
