package local

import "testing"

func TestEveryTimeOutOfADefinitionIsScaledAndNothingElse(t *testing.T) {
	l := &Lake{options: Options{TimeScale: 0.25}}
	got, err := l.scaleDefinition(`{"StartAt":"A","TimeoutSeconds":60,"States":{"A":{"Type":"Task","TimeoutSeconds":25,"Retry":[{"IntervalSeconds":1}],"Next":"B"},"B":{"Type":"Succeed"}}}`)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"StartAt":"A","States":{"A":{"Next":"B","Retry":[{"IntervalSeconds":1}],"TimeoutSeconds":7,"Type":"Task"},"B":{"Type":"Succeed"}},"TimeoutSeconds":15}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestWithoutAScaleTimeOutsStayAsTheyAre(t *testing.T) {
	const definition = `{ "TimeoutSeconds": 60 }`
	l := &Lake{}
	if got, err := l.scaleDefinition(definition); got != definition || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	if got := l.scaleIntegration(0); got != 0 {
		t.Errorf("%d ms", got)
	}
	l.options.TimeScale = 0.5
	if got := l.scaleIntegration(0); got != 15_000 {
		t.Errorf("half of API Gateway's 30 s is %d ms", got)
	}
}
